"""The stream door's caller: NDJSON both ways, so many operations under way on each connection."""

import asyncio  # noqa: TID251  # a bare protocol costs a third of a stream
from collections.abc import Iterator
from itertools import islice
from typing import cast

from benchmarks.client import Connect

CONNECTIONS, WINDOW = 4, 64
END = b"}\n"


class Pipe(asyncio.Protocol):
    """One request that goes on: a new line for each outcome that came back."""

    def __init__(self, token: str, lines: Iterator[bytes]) -> None:
        self._head = (
            "POST /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/x-ndjson\r\n"
            "Transfer-Encoding: chunked\r\n\r\n"
        ).encode()
        self._lines = lines
        self._last = b""
        self._open = 0
        self.count = 0
        self.heard: list[bytes] = []
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)
        self.transport.write(self._head)
        self._say(WINDOW)

    def _say(self, most: int) -> None:
        lines = list(islice(self._lines, most))
        self._open += len(lines)
        if lines:
            chunk = b"\n".join(lines) + b"\n"
            self.transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        elif not self._open and not self.over.done():
            self.transport.write(b"0\r\n\r\n")
            self.over.set_result(None)

    def data_received(self, data: bytes) -> None:
        self.heard.append(data)
        found = (self._last + data).count(END)
        self._last = data[-1:] if data[-1:] == END[:1] else b""
        self.count += found
        self._open -= found
        self._say(found)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(ConnectionError(f"the stream is gone: {exc}"))


async def pour(connect: Connect, token: str, lines: Iterator[bytes]) -> tuple[int, list[bytes]]:
    """Let it all through; how many outcomes there were, and what came back of each stream."""
    pipes = []
    for _ in range(CONNECTIONS):
        _, pipe = await connect(lambda: Pipe(token, lines))
        assert isinstance(pipe, Pipe)
        pipes.append(pipe)
    for pipe in pipes:
        await pipe.over
        pipe.transport.close()
    answers = [b"".join(pipe.heard) for pipe in pipes]
    refused = sum(answer.count(b'"status":4') + answer.count(b'"status":5') for answer in answers)
    assert not refused, f"{refused} lines were refused: {answers[0][:2000]!r}"
    return sum(pipe.count for pipe in pipes), answers
