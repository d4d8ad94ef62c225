"""Heads of requests that came before: what comes again byte for byte means the same.

A program sends the same header with every request, but for the length of the body and the
idempotency key. So the header without these two is kept once aiohttp's parser has read it and all
checks that rest on it were passed; the next request that brings it is not parsed again.
"""

from typing import NamedTuple

HEADS_MAX = 256
"""How many are kept: one for each kind of client, token and address it calls us by."""
HEAD_BYTES_MAX = 2_048
LENGTH_DIGITS_MAX = 5
_END = b"\r\n\r\n"
_LENGTH = b"\r\nContent-Length: "
_KEY = b"\r\nIdempotency-Key: "
_POST, _VERSION = b"POST ", b" HTTP/1.1"


class Head(NamedTuple):
    """What of a header still has to be asked at every request."""

    authorization: str | None


class Parts(NamedTuple):
    """A request that came whole, taken apart. `block`: its header without length and key."""

    path: bytes
    block: bytes
    key: bytes | None
    body: bytes


def take_apart(data: bytes) -> Parts | None:
    """None unless it is one whole POST, written as most clients write it."""
    line_end = data.find(b"\r\n")
    end = data.find(_END, line_end)
    line = data[:line_end]
    if end < 0 or end > HEAD_BYTES_MAX or line[:5] != _POST or line[-9:] != _VERSION:
        return None
    length, block = _without(data[line_end : end + 2], _LENGTH)
    if length is None or not length.isdigit() or len(length) > LENGTH_DIGITS_MAX:
        return None
    key, block = _without(block, _KEY)
    body = data[end + 4 :]
    return Parts(line[5:-9], block, key, body) if len(body) == int(length) else None


def _without(block: bytes, name: bytes) -> tuple[bytes | None, bytes]:
    """The value of the first such line, and the block without that line."""
    begin = block.find(name)
    if begin < 0:
        return None, block
    end = block.index(b"\r\n", begin + 2)
    return block[begin + len(name) : end], block[:begin] + block[end:]


class Heads:
    """Shared by all connections of a listener."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def find(self, block: bytes) -> Head | None:
        return self._known.get(block)

    def learn(self, block: bytes, head: Head) -> None:
        """The parser read this block, with a length and perhaps a key, and it was found good."""
        if len(self._known) >= HEADS_MAX:
            self._known.clear()
        self._known[block] = head
