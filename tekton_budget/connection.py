"""An HTTP connection to a daemon, wherever it listens: TCP, TLS or a unix socket."""

import http.client
import socket
import ssl
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


def only(pinned: str) -> ssl.SSLContext:
    """Trust this certificate, whatever names it bears, and no other."""
    context = ssl.create_default_context(cafile=pinned)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def connection(url: str, timeout_s: float, pinned: str | None = None) -> http.client.HTTPConnection:
    """A connection that is not open yet. Raises ValueError for what is no address.

    `pinned` is the very certificate to expect over TLS; None: one that the system trusts.
    """
    if url.startswith("unix:"):
        return UnixConnection(url.removeprefix("unix:"), timeout_s)
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        trust = ssl.create_default_context() if pinned is None else only(pinned)
        host, port = parts.hostname, parts.port
        return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=trust)
    if parts.scheme == "http" and parts.hostname:
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
    raise ValueError(f"{url!r} is not an address of a daemon")
