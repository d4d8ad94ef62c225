"""A daemon under steady load for as long as one likes, looked at again and again."""

import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import anyio

from daemon.journal.verify import verify
from tests.daemon_process import PREFIX, Daemon, running
from tests.soak.judge import Sample, findings

CALLERS = 8
CALL = {"model": "claude-haiku-4-5", "input_tokens": 900, "max_output_tokens": 300}
USAGES: list[dict[str, Any]] = [
    {"input_tokens": 700, "output_tokens": 240},
    {"prompt_tokens": 900, "completion_tokens": 4_000},
    {},
]
CONFIG = """
[[policy]]
name = "roomy"
each = "component"
limit = { usd = "900000", tokens = 900_000_000_000 }
period = "rolling:1h"

[[policy]]
name = "tight"
match = { component = "component-0" }
limit = { calls = 40 }
period = "hourly"
"""


class Load:
    """So many operations a second, of every kind, some wrong, some on connections of their own."""

    def __init__(self, daemon: Daemon, rate: float) -> None:
        self.daemon = daemon
        self.pause_s = CALLERS / rate
        self.operations = 0
        self.waits_ms: list[float] = []

    async def run(self) -> None:
        async with self.daemon.session() as session, anyio.create_task_group() as group:
            for number in range(CALLERS):
                group.start_soon(self.call, session, Random(number), f"component-{number}")

    async def call(self, session: aiohttp.ClientSession, random: Random, me: str) -> None:
        while True:
            held = await self.post(session, "/reservations", {"component": me, "ttl_s": 30} | CALL)
            fate = random.random()
            place = f"/reservations/{held.get('reservation_id')}"
            if "reservation_id" not in held or fate < 0.1:
                await self.look(me)
            elif fate < 0.8:
                await self.post(session, f"{place}/settle", {"usage": random.choice(USAGES)})
            elif fate < 0.9:
                await self.post(session, f"{place}/release", {})
            else:
                await self.post(session, "/reservations", {"component": me, "model": 7})

    async def post(self, session: aiohttp.ClientSession, path: str, body: Any) -> dict[str, Any]:
        begin = time.monotonic()
        async with session.post(PREFIX + path, json=body) as response:
            told: dict[str, Any] = await response.json()
            assert response.status in {200, 201, 402, 422}, told
        self.waits_ms.append(1000 * (time.monotonic() - begin))
        self.operations += 1
        await anyio.sleep(self.pause_s)
        return told

    async def look(self, me: str) -> None:
        """Somebody who comes, asks, and goes."""
        async with self.daemon.session() as session:
            for path in ("/balances", f"/entries?component={me}&limit=20", "/alerts?limit=20"):
                async with session.get(PREFIX + path) as response:
                    assert response.status == 200, await response.text()


def sample(daemon: Daemon, load: Load, begin: float) -> Sample:
    process = Path(f"/proc/{daemon.pid}")
    status = dict(
        line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line
    )
    waits, load.waits_ms = sorted(load.waits_ms) or [0.0], []
    return Sample(
        at_s=time.monotonic() - begin,
        operations=load.operations,
        rss_bytes=int(status["VmRSS"].split()[0]) * 1024,
        threads=int(status["Threads"]),
        descriptors=len(list((process / "fd").iterdir())),
        wal_bytes=(daemon.data_dir / "journal.sqlite-wal").stat().st_size,
        p50_ms=waits[len(waits) // 2],
        p99_ms=waits[int(len(waits) * 0.99)],
    )


async def soak(
    home: Path, seconds: float, rate: float, every_s: float, tell: Callable[[Sample], None]
) -> list[str]:
    """What is wrong with it, after so long; also with its journal."""
    samples: list[Sample] = []
    with running(home, CONFIG) as daemon:
        load = Load(daemon, rate)
        begin = time.monotonic()
        async with anyio.create_task_group() as group:
            group.start_soon(load.run)
            while time.monotonic() - begin < seconds:
                await anyio.sleep(every_s)
                samples.append(sample(daemon, load, begin))
                tell(samples[-1])
            group.cancel_scope.cancel()
        code = daemon.stop()
        found = findings(samples) + verify(daemon.data_dir).problems
    return found if code == 0 else [*found, f"it ended with {code}"]
