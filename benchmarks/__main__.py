"""Measure the daemon under load: `python -m benchmarks [--quick]`."""

import gc
import signal
import sys
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import anyio
import click

from benchmarks import fanout, inside, saturation
from benchmarks.extras import Begun, begun, reporting, tails, with_components
from benchmarks.goals import from_samples, goals_table
from benchmarks.houses import EMPTY, OLD, OLD_CALLS, houses, spacious, targets
from benchmarks.machine import allow_connections, facts, progress, today
from benchmarks.measure import Effort, Samples, Target, measure
from benchmarks.prefill import WORK, place, prefilled
from benchmarks.report import as_json, begun_table, put_into, table
from benchmarks.servers import copied

CALLERS = (1, 16, 64, 256)
FULL = Effort(rounds=5, seconds=1.0, requests_max=10_000, callers=CALLERS)
QUICK = Effort(rounds=2, seconds=0.3, requests_max=3_000, callers=CALLERS)
CALLS, QUICK_CALLS = 1_000_000, 10_000
FLOOD_S = 8.0
TERMINATED = 143
T = TypeVar("T")


@click.command()
@click.option("--quick", is_flag=True, help="Less of everything: a minute or so.")
@click.option("--calls", type=int, help="Settled calls in the long journal.")
@click.option("--entries", type=int, help="The same in entries, of which a call makes two.")
@click.option("--rounds", type=int, help="How often everything is measured.")
@click.option("--work-dir", type=Path, default=WORK, help="Keeps the long journal for next time.")
@click.option("--write", "page", type=Path, help="Put the tables into this page, too.")
@click.option("--json", "data", type=Path, help="Write every figure into this file.")
def main(
    *,
    quick: bool,
    calls: int | None,
    entries: int | None,
    rounds: int | None,
    work_dir: Path,
    page: Path | None,
    data: Path | None,
) -> None:
    """Measure the daemon through HTTP beside a bare aiohttp endpoint, as ratios.

    Ten policies match every call. One journal begins empty, one has a long history; a third of
    ten million calls is used if `python -m benchmarks.prefill` has put it into the work directory.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # and the servers end with us
    allow_connections()
    effort = QUICK if quick else FULL
    effort = effort._replace(rounds=rounds or effort.rounds)
    calls = calls or (entries or 0) // 2 or (QUICK_CALLS if quick else CALLS)
    work_dir.mkdir(parents=True, exist_ok=True)
    if place(work_dir, OLD_CALLS).exists():
        prefilled(work_dir, OLD_CALLS)  # not made, but brought to the newest schema
    run = Run(work_dir, prefilled(work_dir, calls), calls, effort)
    told = preface(work_dir, effort)
    for loop in ("asyncio", "uvloop"):
        if find_spec(loop):
            run.on_loop(loop)
    text = "\n\n".join([told, goals_table(run.found), *run.tables])
    click.echo(text)
    if page is not None:
        put_into(page, text)
    if data is not None:
        data.write_text(as_json(told, run.found, run.samples, run.extras), encoding="utf-8")


class Run:
    """What was measured, loop by loop."""

    def __init__(self, work: Path, journal: Path, calls: int, effort: Effort) -> None:
        self.work = work
        self.journal = journal
        self.long = f"{calls:,} calls"
        self.effort = effort
        self.found: dict[str, dict[str, float]] = {}
        self.samples: dict[str, Samples] = {}
        self.extras: dict[str, dict[str, object]] = {}
        self.tables: list[str] = []

    def on_loop(self, loop: str) -> None:
        """Everything on one event loop; the callers are on the fastest there is."""
        began = self.starts(loop)
        with houses(loop, self.work, self.journal) as servers:
            asked = targets(servers, self.long)
            samples = self.samples[loop] = on_uvloop(rounds, loop, asked, self.effort)
            found = self.found[loop] = from_samples(samples, self.long)
            progress(f"{loop} extras", 1, 6)
            found |= on_uvloop(tails, servers.full, found["rate"])
            found |= on_uvloop(reporting, servers.full)
        progress(f"{loop} extras", 2, 6)
        with spacious(loop, self.work) as server:
            found |= on_uvloop(with_components, server)
        progress(f"{loop} extras", 3, 6)
        with spacious(loop, self.work) as server:
            flood = on_uvloop(saturation.flooded, server, FLOOD_S)
            progress(f"{loop} extras", 4, 6)
            told = on_uvloop(fanout.fanned_out, server)
        progress(f"{loop} extras", 5, 6)
        for work in (inside.asks, inside.commits):
            found |= anyio.run(work, backend_options={"use_uvloop": loop == "uvloop"})
        progress(f"{loop} extras", 6, 6)
        found |= {"start_s": began[-1].start_s, "refused_ms": flood.refused_p99}
        self.extras[loop] = {"starts": began, "saturation": flood, "events": told}
        self.tables += [f"### {loop}", table(samples), begun_table(began)]
        self.tables += [saturation.table(flood), fanout.table(told)]

    def starts(self, loop: str) -> list[Begun]:
        """On journals of all sizes, the longest last."""
        with TemporaryDirectory(dir=self.work) as home:
            seen = [on_uvloop(begun, EMPTY, Path(home), loop)]
        with copied(self.work, self.journal) as home:
            seen.append(on_uvloop(begun, self.long, home, loop))
        old = place(self.work, OLD_CALLS)
        if old.exists():
            seen.append(on_uvloop(begun, OLD, old.parent, loop))
        return seen


def on_uvloop(work: Callable[..., Awaitable[T]], *args: object) -> T:
    return anyio.run(work, *args, backend_options={"use_uvloop": bool(find_spec("uvloop"))})


def preface(work: Path, effort: Effort) -> str:
    how = (
        f"ten policies match; {effort.rounds} rounds, phases of {effort.seconds:g} s or "
        f"{effort.requests_max:,} requests; one connection for each caller, closed loop"
    )
    return "\n".join([f"Run of {today()}.", "", *(f"- {fact}" for fact in [*facts(work), how])])


async def rounds(loop: str, asked: list[Target], effort: Effort) -> Samples:
    gc.disable()  # a pause of ours would look like one of the server's
    samples: Samples = {}
    async for number, measured in measure(asked, effort):
        samples = measured
        progress(f"{loop} rounds", number, effort.rounds)
    gc.enable()
    return samples


if __name__ == "__main__":
    main()
