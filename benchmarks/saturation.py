"""Far more calls than the daemon can take: who is refused, how soon, and how the others fare."""

import asyncio  # noqa: TID251  # as the callers
import time
from itertools import islice
from typing import NamedTuple

from benchmarks.calls import records
from benchmarks.client import connected
from benchmarks.measure import Sample, Target, connector, percentile, phase
from benchmarks.open_loop import Punctual, Schedule, at_rate
from benchmarks.servers import Server, memory_mb

TIMES = 3.0
CALLERS, CONNECTIONS = 64, 2_000
AFTER_S, LOOK_S = 1.0, 0.1


class Flood(NamedTuple):
    """What came of it: times in milliseconds, memory in megabytes."""

    calm: Sample
    """The same calls by as many callers as it can serve, just before."""
    offered_rate: float
    admitted_rate: float
    admitted_p50: float
    admitted_p99: float
    refused_share: float
    refused_p50: float
    refused_p99: float
    without_retry_after: int
    before_mb: float
    most_mb: float
    after_mb: float


async def flooded(server: Server, seconds: float, connections: int = CONNECTIONS) -> Flood:
    """Usage is recorded, for that leaves nothing open: what memory grows by is the crowd's."""
    calm = await at_64(server, seconds / 4)
    async with connected(connector(Target("", server)), connections, Punctual) as crowd:
        over = asyncio.get_running_loop().create_future()
        load = Schedule(records(server.token), 201, 0, 0, over, from_sending=True)
        memory = Memory(server)
        began = time.perf_counter()
        await at_rate(crowd, load, calm.rate * TIMES, seconds)
        return told(load, calm, time.perf_counter() - began, await memory.told())


async def at_64(server: Server, seconds: float) -> Sample:
    """What the same calls take when as many ask as it can serve."""
    async with connected(connector(Target("", server)), CALLERS) as crowd:
        asked = islice(records(server.token), 1_000_000)
        await phase(server, crowd, asked, 201, seconds / 2)
        _, sample = await phase(server, crowd, asked, 201, seconds)
    return sample


class Memory:
    """What the daemon has in memory, looked at all the while."""

    def __init__(self, server: Server) -> None:
        self._pid = server.pid
        self._seen = [memory_mb(server.pid)]
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self._seen.append(memory_mb(self._pid))

    async def told(self) -> tuple[float, float, float]:
        """Before, at most, after."""
        await asyncio.sleep(AFTER_S)
        self._looking.cancel()
        return self._seen[0], max(self._seen), self._seen[-1]


def told(load: Schedule, calm: Sample, took_s: float, memory: tuple[float, float, float]) -> Flood:
    admitted, refused = sorted(load.latencies_ns), sorted(load.refused_ns)
    return Flood(
        calm,
        load.answered / took_s,
        len(admitted) / took_s,
        percentile(admitted, 50),
        percentile(admitted, 99),
        len(load.refused_ns) / load.answered,
        percentile(refused, 50),
        percentile(refused, 99),
        load.without_retry_after,
        *memory,
    )


def table(flood: Flood) -> str:
    calm, memory_mb = flood.calm, (flood.before_mb, flood.most_mb, flood.after_mb)
    lines = [
        f"| `record` | {CALLERS} callers | {TIMES:g} times that, {CONNECTIONS:,} connections |",
        "| --- | ---: | ---: |",
        f"| asked a second | {calm.rate:,.0f} | {flood.offered_rate:,.0f} |",
        f"| admitted a second | {calm.rate:,.0f} | {flood.admitted_rate:,.0f} |",
        f"| p50 of the admitted | {calm.p50:.1f} ms | {flood.admitted_p50:.1f} ms |",
        f"| p99 of the admitted | {calm.p99:.1f} ms | {flood.admitted_p99:.1f} ms |",
        f"| refused with 429 | 0 % | {flood.refused_share:.0%} |",
        f"| of these without Retry-After | - | {flood.without_retry_after} |",
        f"| p50 of a refusal | - | {flood.refused_p50:.1f} ms |",
        f"| p99 of a refusal | - | {flood.refused_p99:.1f} ms |",
        f"| memory before, at most, after | - | {' · '.join(f'{mb:.0f} MB' for mb in memory_mb)} |",
    ]
    return "\n".join(lines)
