"""The operator's window: one live page at `/`, served from the package, asking our own routes."""

from protocols.page.door import PageDoor

__all__ = ["PageDoor"]
