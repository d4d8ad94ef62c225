"""What needs a daemon of its own or another kind of load: ages, policies, components, tails."""

import asyncio  # noqa: TID251  # as the callers
import json
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.calls import reports, reserves, wanted
from benchmarks.client import connected, put
from benchmarks.measure import Effort, Target, connector, measure, percentile
from benchmarks.open_loop import Punctual, Schedule, at_rate
from benchmarks.servers import RULES, Server, daemon, memory_mb

CALLERS = 64
OPEN_S = 5.0
REPORTS = 20
STRANGERS = 990
COMPONENTS = 1_000
STRANGER = """
[[policy]]
name = "stranger-{0}"
match = {{ component = "elsewhere-{0}" }}
limit = {{ usd = "1.00" }}
period = "daily"
"""


async def tails(server: Server, saturation: float) -> dict[str, float]:
    """The 99th percentile of calls that come at half the rate that is possible."""
    over = asyncio.get_running_loop().create_future()
    load = Schedule(reserves(server.token), 201, 0, 0, over)
    async with connected(connector(Target("", server)), CALLERS, Punctual) as crowd:
        await at_rate(crowd, load, saturation / 2, OPEN_S)
    assert not load.refused_ns, "half of what it can take is not too much"
    return {"p99_open": percentile(sorted(load.latencies_ns), 99)}


async def reporting(server: Server) -> dict[str, float]:
    """One caller asks for the same month again and again."""
    async with connected(connector(Target("", server)), 1) as crowd:
        load = await put(crowd, islice(reports(server.token), REPORTS), 200, 60.0)
    return {"report_ms": median(load.latencies_ns) / 1e6}


async def with_strangers(work: Path, loop: str, effort: Effort) -> dict[str, float]:
    """Ten policies match; beside them 990 that match nothing of this."""
    with TemporaryDirectory(dir=work) as home:
        rules = Path(home) / "rules.toml"
        more = "".join(STRANGER.format(number) for number in range(STRANGERS))
        rules.write_text(RULES.read_text(encoding="utf-8") + more, encoding="utf-8")
        with (
            daemon(Path(home) / "few", loop) as few,
            daemon(Path(home) / "many", loop, rules) as many,
        ):
            targets = [Target("few", few), Target("many", many)]
            samples = {}
            async for _, found in measure(targets, effort._replace(callers=(CALLERS,))):
                samples = found
    own = {row.target: found for row, found in samples.items() if row.request == "reserve"}
    pairs = zip(own["many"], own["few"], strict=True)
    return {"policies": median(many.p50 / few.p50 for many, few in pairs)}


async def with_components(work: Path, loop: str) -> dict[str, float]:
    """A thousand components, each with one hold."""
    with TemporaryDirectory(dir=work) as home, daemon(Path(home), loop) as server:
        async with connected(connector(Target("", server)), 8) as crowd:
            await put(crowd, islice(_everybody(server.token), COMPONENTS), 201, 60.0)
        return {"memory_mb": memory_mb(server.pid)}


def _everybody(token: str) -> Iterator[bytes]:
    ready = next(reserves(token))
    head, _, _ = ready.partition(b"\r\nContent-Length")
    for number in count():
        body = json.dumps(wanted(0, 0) | {"component": f"one-of-many-{number}"}).encode()
        yield b"%b\r\nContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
