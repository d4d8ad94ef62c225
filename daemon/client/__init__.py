"""One small HTTP client for the command line: standard library, no pydantic, fast to start."""

from daemon.client.call import Client, Json, Route, no_daemon, routes
from daemon.client.find import default_data_dir, find, find_token, is_local, running
from tekton_budget.find import Running

__all__ = [
    "Client",
    "Json",
    "Route",
    "Running",
    "default_data_dir",
    "find",
    "find_token",
    "is_local",
    "no_daemon",
    "routes",
    "running",
]
