"""Callers in a closed loop, as lean as they can be: each waits for its answer, then asks again.

They share two cores with the server, so they must cost little: prepared bytes go out, and of an
answer only status, length and body are read.
"""

import asyncio  # noqa: TID251  # a bare protocol costs a third of a stream
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

Connect = Callable[[Callable[[], asyncio.Protocol]], Awaitable[tuple[object, asyncio.Protocol]]]
"""Opens one connection for a protocol, over TCP or a unix socket."""


@dataclass(slots=True)
class Load:
    """What the callers of one phase have in common. It ends when time or requests run out."""

    requests: Iterator[bytes]
    status: int
    until_ns: int
    callers: int
    over: asyncio.Future[None]
    latencies_ns: list[int] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)

    def next(self) -> bytes | None:
        return next(self.requests, None) if time.perf_counter_ns() < self.until_ns else None

    def leave(self) -> None:
        self.callers -= 1
        if not self.callers and not self.over.done():
            self.over.set_result(None)

    def fail(self, why: str) -> None:
        if not self.over.done():
            self.over.set_exception(ConnectionError(why))


class Caller(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)  # uvloop has its own class
        self.load: Load | None = None
        self.heard = b""
        self.asked_ns = 0

    def take(self, load: Load) -> None:
        self.load = load
        self._ask(load)

    def _ask(self, load: Load) -> None:
        request = load.next()
        if request is None:
            self.load = None
            load.leave()
            return
        self.asked_ns = time.perf_counter_ns()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        heard = self.heard = self.heard + data if self.heard else data
        head = heard.find(b"\r\n\r\n")
        if head < 0:
            return
        lines = heard[: head + 2].lower()
        begin = lines.index(b"content-length: ") + 16
        length = int(lines[begin : lines.index(b"\r", begin)])
        if len(heard) < head + 4 + length:
            return
        self._answered(int(heard[9:12]), heard[head + 4 :])

    def _answered(self, status: int, body: bytes) -> None:
        load = self.load
        assert load is not None, "an answer that nobody asked for"
        load.latencies_ns.append(time.perf_counter_ns() - self.asked_ns)
        load.answers.append(body)
        self.heard = b""
        if status == load.status:
            self._ask(load)
        else:
            load.fail(f"expected {load.status}, got {status}: {body.decode()}")

    def connection_lost(self, exc: Exception | None) -> None:
        if self.load is not None:
            self.load.fail(f"the connection is gone: {exc}")


@asynccontextmanager
async def connected(
    connect: Connect, callers: int, kind: type[Caller] = Caller
) -> AsyncIterator[list[Caller]]:
    """So many connections, open before anything is measured."""
    opened = []
    for _ in range(callers):
        _, caller = await connect(kind)
        assert isinstance(caller, Caller)
        opened.append(caller)
    try:
        yield opened
    finally:
        for caller in opened:
            caller.transport.close()


async def put(
    callers: list[Caller], requests: Iterator[bytes], status: int, seconds: float
) -> Load:
    """Let the callers ask until the time is over or there is nothing left to ask."""
    until_ns = time.perf_counter_ns() + round(seconds * 1e9)
    over = asyncio.get_running_loop().create_future()
    load = Load(requests, status, until_ns, len(callers), over)
    for caller in callers:
        caller.take(load)
    await over
    return load
