"""The archive: closed months are moved into files of their own while everything goes on."""
