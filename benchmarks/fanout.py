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
MANY = 10
"""With fewer readers their share is lost in what making the event costs."""
CALM_S, WITHIN_S = 0.1, 60.0
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
WAYS = {
    "server-sent events": ("GET /api/v1/events HTTP/1.1\r\n", b"retry: "),
    "websocket": (f"GET /ws/budget/updates HTTP/1.1\r\n{UPGRADE}", b'"Connected to Budget'),
}
"""How a stream is asked for, and what it begins with: from then on nothing is missed."""


class Told(NamedTuple):
    """What one event took: until the last reader had it, and the daemon's CPU for it."""

    way: str
    readers: int
    last_ms: float
    cpu_us: float


class Audience:
    """All readers of one kind, and how many of them have not heard yet what is told now."""

    def __init__(self, readers: int) -> None:
        self._readers = readers
        self._missing = 0
        self.mark = b""
        self.last_ns = 0
        self._all_have_it = asyncio.Event()

    def expect(self, mark: bytes) -> None:
        self.mark = mark
        self._missing = self._readers
        self._all_have_it = asyncio.Event()

    async def wait(self) -> None:
        await asyncio.wait_for(self._all_have_it.wait(), WITHIN_S)

    def has_it(self) -> None:
        self._missing -= 1
        if not self._missing:
            self.last_ns = time.perf_counter_ns()
            self._all_have_it.set()


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
        line, greeting = WAYS[way]
        audience.expect(greeting)
        head = f"{line}Host: localhost\r\nAuthorization: Bearer {self._server.token}\r\n\r\n"
        connect = connector(Target("", self._server))
        opened = [await connect(lambda: Reader(audience, head.encode())) for _ in range(readers)]
        await audience.wait()
        await self.happen(audience)  # whatever is made at the first one is made
        heard = [await self.happen(audience) for _ in range(EVENTS)]
        for transport, _ in opened:
            cast("asyncio.Transport", transport).close()
        cpu_us = median(cpu for _, cpu in heard) - median(cpu for _, cpu in alone)
        return Told(way, readers, median(last for last, _ in heard), max(0.0, cpu_us) / readers)

    async def happen(self, audience: Audience | None) -> tuple[float, float]:
        """Milliseconds until the last reader has it, microseconds of the daemon's CPU."""
        name = f"news-{next(self._numbers)}"
        if audience is not None:
            audience.expect(b'"subject":"%b"' % name.encode())
        began_ns, cpu_ns = time.perf_counter_ns(), self._server.cpu_ns()
        await put(self._crowd, iter([news(self._server.token, name)]), 201, WITHIN_S)
        if audience is not None:
            await audience.wait()
        await asyncio.sleep(CALM_S)
        last_ns = audience.last_ns if audience is not None else began_ns
        return (last_ns - began_ns) / 1e6, (self._server.cpu_ns() - cpu_ns) / 1e3


def table(told: list[Told]) -> str:
    lines = ["| one event by | readers | the last has it after | CPU a reader |"]
    lines += ["| --- | ---: | ---: | ---: |"]
    for one in told:
        cpu = f"{one.cpu_us:.0f} µs" if one.readers >= MANY else "-"
        lines.append(f"| {one.way} | {one.readers:,} | {one.last_ms:.1f} ms | {cpu} |")
    return "\n".join(lines)
