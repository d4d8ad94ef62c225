"""One event and all who read the stream of events: when the last has it, what each costs."""

import asyncio  # noqa: TID251  # a bare protocol costs a third of a stream
import time
from collections.abc import Sequence
from itertools import count
from statistics import median
from typing import NamedTuple, cast

from benchmarks.calls import news
from benchmarks.client import Caller, connected, put
from benchmarks.measure import Target, connector
from benchmarks.servers import Server

READERS = (1, 100, 1_000)
EVENTS = 5
CALM_S, WITHIN_S = 0.1, 60.0
WAYS = {
    "server-sent events": "GET /api/v1/events HTTP/1.1\r\n",
    "websocket": "GET /ws/budget/updates HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
}


class Told(NamedTuple):
    """What one event took: until the last reader had it, and the daemon's CPU for it."""

    way: str
    readers: int
    last_ms: float
    cpu_us: float


class Audience:
    """All readers of one kind, and how many of them miss the event that is told now."""

    def __init__(self, readers: int) -> None:
        self._readers = readers
        self._missing = 0
        self.mark = b""
        self.last_ns = 0
        self.all_have_it = asyncio.Event()

    def expect(self, subject: str) -> None:
        self.mark = b'"subject":"%b"' % subject.encode()
        self._missing = self._readers
        self.all_have_it = asyncio.Event()

    def has_it(self) -> None:
        self._missing -= 1
        if not self._missing:
            self.last_ns = time.perf_counter_ns()
            self.all_have_it.set()


class Reader(asyncio.Protocol):
    """Asks once, and looks for the mark in what it hears."""

    def __init__(self, audience: Audience, request: bytes) -> None:
        self._audience = audience
        self._request = request
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        heard, mark = self._rest + data, self._audience.mark
        if mark in heard:
            self._audience.has_it()
        self._rest = heard[1 - len(mark) :] if mark else b""


async def fanned_out(server: Server, readers: Sequence[int] = READERS) -> list[Told]:
    """A policy is made that matches nobody: that is the event."""
    async with connected(connector(Target("", server)), 1) as crowd:
        events = Events(server, crowd)
        await events.happen(None)
        return [await events.told(way, many) for way in WAYS for many in readers]


class Events:
    """Makes them happen, one at a time."""

    def __init__(self, server: Server, crowd: list[Caller]) -> None:
        self._server = server
        self._crowd = crowd
        self._numbers = count()

    async def told(self, way: str, readers: int) -> Told:
        """Medians over some events; what the event costs without readers is taken off."""
        alone = [await self.happen(None) for _ in range(EVENTS)]
        audience = Audience(readers)
        head = f"{WAYS[way]}Host: localhost\r\nAuthorization: Bearer {self._server.token}\r\n\r\n"
        connect = connector(Target("", self._server))
        opened = [await connect(lambda: Reader(audience, head.encode())) for _ in range(readers)]
        await self.happen(audience)  # whoever has this one has all that was before
        heard = [await self.happen(audience) for _ in range(EVENTS)]
        for transport, _ in opened:
            cast("asyncio.Transport", transport).close()
        cpu_us = median(cpu for _, cpu in heard) - median(cpu for _, cpu in alone)
        return Told(way, readers, median(last for last, _ in heard), max(0.0, cpu_us) / readers)

    async def happen(self, audience: Audience | None) -> tuple[float, float]:
        """Milliseconds until the last reader has it, microseconds of the daemon's CPU."""
        name = f"news-{next(self._numbers)}"
        if audience is not None:
            audience.expect(name)
        began_ns, cpu_ns = time.perf_counter_ns(), self._server.cpu_ns()
        await put(self._crowd, iter([news(self._server.token, name)]), 201, WITHIN_S)
        if audience is not None:
            await asyncio.wait_for(audience.all_have_it.wait(), WITHIN_S)
        await asyncio.sleep(CALM_S)
        last_ns = audience.last_ns if audience is not None else began_ns
        return (last_ns - began_ns) / 1e6, (self._server.cpu_ns() - cpu_ns) / 1e3


def table(told: list[Told]) -> str:
    lines = ["| one event by | readers | the last has it after | CPU a reader |"]
    lines += ["| --- | ---: | ---: | ---: |"]
    lines += [
        f"| {one.way} | {one.readers:,} | {one.last_ms:.1f} ms | {one.cpu_us:.0f} µs |"
        for one in told
    ]
    return "\n".join(lines)
