"""What needs a daemon of its own or another kind of load: starts, components, tails."""

import asyncio  # noqa: TID251  # as the callers
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import inside
from benchmarks.calls import reports, reserves
from benchmarks.client import connected, put
from benchmarks.measure import Target, connector, percentile
from benchmarks.open_loop import Punctual, Schedule, at_rate
from benchmarks.servers import Server, daemon, memory_mb

CALLERS = 64
OPEN_S = 5.0
REPORTS = 20
COMPONENTS = 1_000


async def tails(server: Server, saturation: float, seconds: float = OPEN_S) -> dict[str, float]:
    """The 99th percentile of calls that come at half the rate that is possible."""
    over = asyncio.get_running_loop().create_future()
    load = Schedule(reserves(server.token), 201, 0, 0, over)
    async with connected(connector(Target("", server)), CALLERS, Punctual) as crowd:
        await at_rate(crowd, load, saturation / 2, seconds)
    assert not load.refused_ns, "half of what it can take is not too much"
    return {"p99_open": percentile(sorted(load.latencies_ns), 99)}


async def reporting(server: Server) -> dict[str, float]:
    """One caller asks for the same month again and again."""
    async with connected(connector(Target("", server)), 1) as crowd:
        load = await put(crowd, islice(reports(server.token), REPORTS), 200, 60.0)
    return {"report_ms": median(load.latencies_ns) / 1e6}


async def with_components(server: Server, components: int = COMPONENTS) -> dict[str, float]:
    """Each of them with one hold."""
    async with connected(connector(Target("", server)), 8) as crowd:
        asked = reserves(server.token, components=components)
        await put(crowd, islice(asked, components), 201, 60.0)
    return {"memory_mb": memory_mb(server.pid)}


class Begun(NamedTuple):
    """How a daemon began on a journal."""

    journal: str
    ready_s: float
    start_s: float
    memory_mb: float


async def begun(journal: str, home: Path, loop: str) -> Begun:
    """A daemon that did nothing else yet; the actors by themselves, without imports and prices."""
    with daemon(home, loop) as server:
        seen = server.ready_s, memory_mb(server.pid)
    alone_s = await inside.start(home)
    return Begun(journal, seen[0], alone_s, seen[1])
