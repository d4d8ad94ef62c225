"""Measure the daemon under load: `python -m benchmarks [--quick]`."""

import gc
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import anyio
import click

from benchmarks.machine import facts, today
from benchmarks.measure import Effort, Samples, Target, measure
from benchmarks.prefill import prefilled
from benchmarks.report import put_into, table
from benchmarks.servers import RULES, Server, bare, daemon
from daemon.journal.files import DATABASE

FULL = Effort(rounds=7, seconds=1.0, requests_max=10_000, callers=(1, 16, 64))
QUICK = Effort(rounds=2, seconds=0.3, requests_max=3_000, callers=(1, 16, 64))
ENTRIES, QUICK_ENTRIES = 1_000_000, 20_000
TERMINATED = 143
WORK = Path(tempfile.gettempdir()) / "tekton-budget-benchmarks"


@click.command()
@click.option("--quick", is_flag=True, help="Less of everything: a minute or so.")
@click.option("--entries", type=int, help="How long the long journal is.")
@click.option("--rounds", type=int, help="How often everything is measured.")
@click.option("--work-dir", type=Path, default=WORK, help="Keeps the long journal for next time.")
@click.option("--write", "page", type=Path, help="Put the tables into this page, too.")
def main(
    *, quick: bool, entries: int | None, rounds: int | None, work_dir: Path, page: Path | None
) -> None:
    """Measure reserve and settle through HTTP beside a bare aiohttp endpoint, as ratios.

    Ten policies match every call. One journal begins empty, one has a long history.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # and the servers end with us
    effort = QUICK if quick else FULL
    effort = effort._replace(rounds=rounds or effort.rounds)
    entries = entries or (QUICK_ENTRIES if quick else ENTRIES)
    work_dir.mkdir(parents=True, exist_ok=True)
    journal = prefilled(work_dir, entries, RULES, progress)
    parts = [preface(work_dir, effort)]
    for loop in ("asyncio", "uvloop"):
        if find_spec(loop):
            parts.append(f"### {loop}\n\n{on_loop(loop, work_dir, journal, entries, effort)}")
        else:
            parts.append(f"{loop} is not installed: not measured.")
    text = "\n\n".join(parts)
    click.echo(text)
    if page is not None:
        put_into(page, text)


def preface(work: Path, effort: Effort) -> str:
    how = (
        f"ten policies match; {effort.rounds} rounds, phases of {effort.seconds:g} s or "
        f"{effort.requests_max:,} requests; one connection for each caller, closed loop"
    )
    return "\n".join([f"Run of {today()}.", "", *(f"- {fact}" for fact in [*facts(work), how])])


def on_loop(loop: str, work: Path, journal: Path, entries: int, effort: Effort) -> str:
    """The table of one event loop, and how long the daemons took to start."""
    with servers(loop, work, journal) as (plain, empty, full):
        long = f"{entries:,} entries"
        targets = [
            Target("bare aiohttp", plain, bare=True),
            Target("empty journal", empty),
            Target(long, full),
            Target("bare aiohttp, unix socket", plain, bare=True, unix=True, crowd_only=True),
            Target(f"{long}, unix socket", full, unix=True, crowd_only=True),
            Target(f"{long}, Idempotency-Key", full, keyed=True, crowd_only=True),
        ]
        samples = anyio.run(
            rounds, loop, targets, effort, backend_options={"use_uvloop": bool(find_spec("uvloop"))}
        )
        started = f"Ready after {empty.ready_s:.2f} s (empty) and {full.ready_s:.2f} s ({long})."
    return f"{table(samples)}\n\n{started}"


@contextmanager
def servers(loop: str, work: Path, journal: Path) -> Iterator[tuple[Server, Server, Server]]:
    """The bare endpoint, a daemon on a fresh directory, a daemon on a copy of the journal."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work)))
        (home / "full").mkdir()
        shutil.copyfile(journal, home / "full" / DATABASE)
        yield (
            stack.enter_context(bare(home / "bare", loop)),
            stack.enter_context(daemon(home / "empty", loop)),
            stack.enter_context(daemon(home / "full", loop)),
        )


async def rounds(loop: str, targets: list[Target], effort: Effort) -> Samples:
    gc.disable()  # a pause of ours would look like one of the server's
    samples: Samples = {}
    async for number, measured in measure(targets, effort):
        samples = measured
        progress(f"{loop} rounds", number, effort.rounds)
    gc.enable()
    return samples


def progress(what: str, done: int, of: int) -> None:
    """One line on stderr that is written over."""
    end = "\n" if done >= of else "\r"
    print(f"{what} {done:,} of {of:,}", end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
