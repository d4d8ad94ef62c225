"""The name under which Tekton's launcher starts the daemon: `python -m budget`."""
