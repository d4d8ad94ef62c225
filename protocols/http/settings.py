"""What may be set about the door."""

from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext

from protocols.operations import PREFIX

__all__ = ["PREFIX", "DoorSettings"]


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """Where to listen, whom to let in, how much to read."""

    host: str | None = "127.0.0.1"
    """None: no TCP, only the unix socket."""
    port: int = 8013
    """0 lets the system choose."""
    socket: Path | None = None
    socket_group: int | None = None
    """The group that may open the socket beside its owner."""
    tls: SSLContext | None = None
    connections_max: int = 1024
    streams_max: int = 1000
    streams_each_max: int = 250
    """Of one caller; those who have not said yet who they are count as one."""
    header_s: float = 10.0
    """From the first byte of a request to the end of its header."""
    login_failures_max: int = 20
    """A minute, from one address."""
    hosts: frozenset[str] = frozenset()
    """Host names beside the loopback ones, without port."""
    origins: frozenset[str] = frozenset()
    """Origins beside the daemon's own, such as https://tekton.example."""
    page_token: str | None = None
    """What a page of these origins is taken to have brought when it brings no token."""
    body_bytes_max: int = 1_048_576
    body_s: float = 10.0
    batch_operations_max: int = 1000
    stream_window: int = 256
    """Operations of one stream that may be under way."""
    keepalive_s: float = 75.0
    heartbeat_s: float = 15.0
    """In a silence, streams show this often that they are alive."""
    slow_s: float = 10.0
    """How long a reader of a stream may take to take what it is sent."""
    stop_s: float = 10.0
    """How long requests in flight may take to finish when the door closes."""
