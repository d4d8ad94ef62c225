"""An HTTP connection to a daemon, wherever it listens: TCP, TLS or a unix socket."""

import http.client
import socket
from urllib.parse import urlsplit


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self.path)
        except OSError:
            self.close()
            raise


def connection(url: str, timeout_s: float) -> http.client.HTTPConnection:
    """A connection that is not open yet. Raises ValueError for what is no address."""
    if url.startswith("unix:"):
        return UnixConnection(url.removeprefix("unix:"), timeout_s)
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout_s)
    if parts.scheme == "http" and parts.hostname:
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
    raise ValueError(f"{url!r} is not an address of a daemon")
