"""Far more calls than the daemon can take: who is refused, how soon, and how the others fare."""

import asyncio  # noqa: TID251  # as the callers
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.calls import records
from benchmarks.client import connected
from benchmarks.measure import Sample, Target, connector, percentile, phase
from benchmarks.open_loop import Punctual, Schedule, at_rate
from benchmarks.servers import RULES, Server, daemon, memory_mb

TIMES = 3.0
CALLERS, CONNECTIONS = 64, 2_000
BEFORE_S, FLOOD_S, LOOK_S = 2.0, 8.0, 0.1
ROOM = f"\n[limits]\nconnections = {CONNECTIONS * 2}\n"


async def flooded(work: Path, loop: str) -> dict[str, float]:
    """Usage is recorded, for that leaves nothing open: what memory grows by is the crowd's."""
    with TemporaryDirectory(dir=work) as home:
        rules = Path(home) / "rules.toml"
        rules.write_text(RULES.read_text(encoding="utf-8") + ROOM, encoding="utf-8")
        with daemon(Path(home), loop, rules) as server:
            calm = await at_64(server)
            async with connected(connector(Target("", server)), CONNECTIONS, Punctual) as crowd:
                over = asyncio.get_running_loop().create_future()
                load = Schedule(records(server.token), 201, 0, 0, over)
                memory = Memory(server)
                await at_rate(crowd, load, calm.rate * TIMES, FLOOD_S)
                return told(load, calm) | await memory.told()


async def at_64(server: Server) -> Sample:
    """What the same calls take when as many ask as it can serve."""
    async with connected(connector(Target("", server)), CALLERS) as crowd:
        asked = islice(records(server.token), 1_000_000)
        await phase(server, crowd, asked, 201, BEFORE_S / 2)
        _, sample = await phase(server, crowd, asked, 201, BEFORE_S)
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

    async def told(self) -> dict[str, float]:
        await asyncio.sleep(1.0)
        self._looking.cancel()
        before, after = self._seen[0], self._seen[-1]
        return {
            "flood_before_mb": before,
            "flood_most_mb": max(self._seen),
            "flood_after_mb": after,
        }


def told(load: Schedule, calm: Sample) -> dict[str, float]:
    admitted, refused = sorted(load.latencies_ns), sorted(load.refused_ns)
    return {
        "flood_rate": calm.rate * TIMES,
        "flood_admitted_rate": len(admitted) / FLOOD_S,
        "flood_share": len(refused) / load.answered,
        "flood_rude": load.without_retry_after,
        "flood_calm_p50": calm.p50,
        "flood_calm_p99": calm.p99,
        **{f"flood_admitted_p{p}": percentile(admitted, p) for p in (50, 95, 99)},
        **({f"flood_refused_p{p}": percentile(refused, p) for p in (50, 99)} if refused else {}),
    }
