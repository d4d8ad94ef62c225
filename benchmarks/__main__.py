"""Measure the daemon under load: `python -m benchmarks [--quick]`."""

import gc
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import anyio
import click

from benchmarks import inside
from benchmarks.extras import reporting, tails, with_components, with_strangers
from benchmarks.goals import from_samples, goals_table
from benchmarks.machine import facts, progress, today
from benchmarks.measure import Effort, Samples, Target, measure
from benchmarks.prefill import WORK, prefilled
from benchmarks.report import as_json, put_into, table
from benchmarks.servers import Server, bare, copied, daemon

FULL = Effort(rounds=7, seconds=1.0, requests_max=10_000, callers=(1, 16, 64))
QUICK = Effort(rounds=2, seconds=0.3, requests_max=3_000, callers=(1, 16, 64))
CALLS, QUICK_CALLS = 1_000_000, 10_000
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

    Ten policies match every call. One journal begins empty, one has a long history.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # and the servers end with us
    effort = QUICK if quick else FULL
    effort = effort._replace(rounds=rounds or effort.rounds)
    calls = calls or (entries or 0) // 2 or (QUICK_CALLS if quick else CALLS)
    work_dir.mkdir(parents=True, exist_ok=True)
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
        data.write_text(as_json(told, run.found, run.samples), encoding="utf-8")


class Run:
    """What was measured, loop by loop."""

    def __init__(self, work: Path, journal: Path, calls: int, effort: Effort) -> None:
        self.work = work
        self.journal = journal
        self.long = f"{calls:,} calls"
        self.effort = effort
        self.found: dict[str, dict[str, float]] = {}
        self.samples: dict[str, Samples] = {}
        self.tables: list[str] = []

    def on_loop(self, loop: str) -> None:
        """Everything on one event loop; the callers are on the fastest there is."""
        with servers(loop, self.work, self.journal) as (plain, empty, full):
            asked = targets(plain, empty, full, self.long)
            samples = self.samples[loop] = on_uvloop(rounds, loop, asked, self.effort)
            found = self.found[loop] = from_samples(samples, self.long)
            found |= on_uvloop(tails, full, found["rate"])
            found |= on_uvloop(reporting, full)
            started = f"Ready after {empty.ready_s:.2f} s (empty), {full.ready_s:.2f} s (long)."
        progress(f"{loop} extras", 1, 3)
        found |= on_uvloop(with_strangers, self.work, loop, self.effort)
        found |= on_uvloop(with_components, self.work, loop)
        progress(f"{loop} extras", 2, 3)
        fast = {"use_uvloop": loop == "uvloop"}
        found |= anyio.run(inside.asks, backend_options=fast)
        found |= anyio.run(inside.commits, backend_options=fast)
        with copied(self.work, self.journal) as home:
            found |= anyio.run(inside.start, home, backend_options=fast)
        progress(f"{loop} extras", 3, 3)
        self.tables.append(f"### {loop}\n\n{table(samples)}\n\n{started}")


def targets(plain: Server, empty: Server, full: Server, long: str) -> list[Target]:
    """Who is asked in turn, and how."""
    return [
        Target("bare aiohttp", plain, bare=True),
        Target("empty journal", empty),
        Target(long, full, more=True),
        Target("bare aiohttp, unix socket", plain, bare=True, unix=True, crowd_only=True),
        Target(f"{long}, unix socket", full, unix=True, crowd_only=True),
        Target(f"{long}, Idempotency-Key", full, keyed=True, crowd_only=True),
        *(
            Target(f"empty journal, batch of {size}", empty, batch=size, crowd_only=True)
            for size in (1, 10, 100, 1000)
        ),
        Target("empty journal, stream", empty, stream=True, crowd_only=True),
    ]


def on_uvloop(work: Callable[..., Awaitable[T]], *args: object) -> T:
    return anyio.run(work, *args, backend_options={"use_uvloop": bool(find_spec("uvloop"))})


def preface(work: Path, effort: Effort) -> str:
    how = (
        f"ten policies match; {effort.rounds} rounds, phases of {effort.seconds:g} s or "
        f"{effort.requests_max:,} requests; one connection for each caller, closed loop"
    )
    return "\n".join([f"Run of {today()}.", "", *(f"- {fact}" for fact in [*facts(work), how])])


@contextmanager
def servers(loop: str, work: Path, journal: Path) -> Iterator[tuple[Server, Server, Server]]:
    """The bare endpoint, a daemon on a fresh directory, a daemon on a copy of the journal."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work)))
        full = stack.enter_context(copied(work, journal))
        yield (
            stack.enter_context(bare(home / "bare", loop)),
            stack.enter_context(daemon(home / "empty", loop)),
            stack.enter_context(daemon(full, loop)),
        )


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
