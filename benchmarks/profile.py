"""Where the daemon's CPU goes: `python -m benchmarks.profile`.

64 callers reserve, then settle, as in the table of figures; meanwhile py-spy looks at every thread
of the daemon a few hundred times a second. What it saw becomes a table of shares by place, and a
flame graph of the reserves. Frames of libraries belong to whoever of ours called them.
"""

import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from shutil import which
from typing import NamedTuple

import anyio
import anyio.to_thread
import click

from benchmarks.__main__ import on_uvloop
from benchmarks.calls import reserves, settles
from benchmarks.client import Load, connected
from benchmarks.machine import facts, today
from benchmarks.measure import CROWD, SETTLE_S, Sample, Target, connector, phase
from benchmarks.report import put_into
from benchmarks.servers import Server, daemon

LOOKS_A_SECOND = 250
BEFORE_S = 1.0
CALLS_MAX = 70_000
"""Fewer holds than eight components may have open."""
MARK = "profile"
WRITER = re.compile(r"^_connection_worker_thread \(aiosqlite")
WAITING = re.compile(r"^(_connection_worker_thread|Condition\.wait|Queue\.get|.*\.select) \(")
"""Threads with nothing to do, caught on their way to sleep."""
PLACES = {
    "answer: written as JSON and sent": r"_answered |_Answer|http/reply|protocols/written",
    "validation: JSON, fields, token": r"http/(body|verb|invalid)|actors/tokens/",
    "HTTP: header, route, guard": r"protocols/(http/|message)|aiohttp/",
    "ledger: price, hold, keys": r"actors/ledger/|protocols/(costing|usage|money|names|prices)",
    "policies: limits, where they stand": r"actors/(policy|subject|totals)|protocols/policy",
    "journal: number, hash, add up": r"actors/(journal|alerts|time)|(protocols|daemon)/journal",
    "actors: inboxes, who is let in": r"actors/(runtime|supervision|spine|tell)|pykka/",
}
"""What frames of each place look like."""
LOOP = "event loop, sockets"
STORE = "the store's thread: SQLite, disk"
CANNOT = (
    "py-spy could not look into the daemon: {}\n"
    "It needs the right to trace: run as root, or once `sysctl kernel.yama.ptrace_scope=0`; in a "
    "container `--cap-add SYS_PTRACE`."
)
ROOT = re.compile(r"daemon/(cli|run)")


class Look(NamedTuple):
    """What one kind of call was seen to spend."""

    request: str
    sample: Sample
    shares: Counter[str]


def place_of(stack: list[str]) -> str | None:
    """The innermost frame of ours says where this was. None: nothing was done there."""
    if WAITING.match(stack[-1]):
        return None
    if any(WRITER.match(frame) for frame in stack):
        return STORE
    for frame in reversed(stack):
        for place, pattern in PLACES.items():
            if re.search(pattern, frame) and not ROOT.search(frame):
                return place
    return LOOP


def shares(raw: str) -> Counter[str]:
    """Of py-spy's lines, `frame;frame;frame count`: how often the daemon was seen at each place."""
    seen: Counter[str] = Counter()
    for line in raw.splitlines():
        frames, _, count = line.rpartition(" ")
        if (place := place_of(frames.split(";"))) is not None:
            seen[place] += int(count)
    return seen


class Spy:
    """py-spy, looking at the daemon for so long from now on."""

    def __init__(self, server: Server, seconds: float, kind: str, to: Path) -> None:
        program = which("py-spy", path=Path(sys.executable).parent) or which("py-spy")
        if program is None:
            raise click.ClickException("py-spy is not installed: pip install -e '.[dev]'")
        command = [
            program, "record", "--pid", str(server.pid), "--duration", str(max(1, round(seconds))),
            "--rate", str(LOOKS_A_SECOND), "--format", kind, "--output", str(to),
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    async def done(self) -> None:
        _, said = await anyio.to_thread.run_sync(self._process.communicate)
        if self._process.returncode:
            raise click.ClickException(CANNOT.format(said.strip() or "it said nothing"))


async def looks(server: Server, seconds: float, work: Path, flames: Path) -> list[Look]:
    """Reserve and settle under py-spy, then reserve again for the flame graph."""
    async with connected(connector(Target("", server)), CROWD) as crowd:

        async def load(status: int, requests: Iterator[bytes], for_s: float) -> tuple[Load, Sample]:
            return await phase(server, crowd, islice(requests, CALLS_MAX), status, for_s)

        async def looked(request: str, status: int, requests: Iterator[bytes]) -> tuple[Load, Look]:
            raw, settling = work / request, request == "settle"
            spy = Spy(server, seconds, "raw", raw)
            done, sample = await load(status, requests, SETTLE_S if settling else seconds)
            await spy.done()
            return done, Look(request, sample, shares(raw.read_text(encoding="utf-8")))

        warm, _ = await load(201, reserves(server.token), BEFORE_S)
        await load(200, settles(server.token, warm.answers), SETTLE_S)
        held, first = await looked("reserve", 201, reserves(server.token))
        _, second = await looked("settle", 200, settles(server.token, held.answers))
        spy = Spy(server, seconds, "flamegraph", flames)
        await load(201, reserves(server.token), seconds)
        await spy.done()
        return [first, second]


def table(seen: list[Look]) -> str:
    """Shares, and the CPU of an operation split by them."""
    lines = [
        f"| where | {' | '.join(f'{look.request} | µs' for look in seen)} |",
        f"| --- | {' | '.join('---: | ---:' for _ in seen)} |",
    ]
    for place in (LOOP, *PLACES, STORE):
        cells = []
        for look in seen:
            share = look.shares[place] / max(1, look.shares.total())
            cells.append(f"{share:.0%} | {share * look.sample.cpu:.0f}")
        lines.append(f"| {place} | {' | '.join(cells)} |")
    all_of_it = " | ".join(f"100% | {look.sample.cpu:.0f}" for look in seen)
    return "\n".join([*lines, f"| together | {all_of_it} |"])


@click.command()
@click.option("--seconds", type=float, default=8.0, show_default=True, help="How long it looks.")
@click.option("--loop", type=click.Choice(["asyncio", "uvloop"]), default="asyncio")
@click.option("--svg", type=Path, default=Path("flames.svg"), show_default=True)
@click.option("--write", "page", type=Path, help="Put the table into this page, too.")
def main(*, seconds: float, loop: str, svg: Path, page: Path | None) -> None:
    """Say where the CPU of a reserve and of a settle goes, and draw a flame graph."""
    with tempfile.TemporaryDirectory() as home:
        work = Path(home)
        told = [f"Run of {today()} on {loop}, {CROWD} callers, looked at for {seconds:g} s.", ""]
        told += [f"- {fact}" for fact in facts(work)]
        with daemon(work / "data", loop) as server:
            seen = on_uvloop(looks, server, seconds, work, svg)
    text = "\n".join((*told, "", table(seen)))
    click.echo(text)
    click.echo(f"\nflame graph of the reserves: {svg}", err=True)
    if page is not None:
        put_into(page, text, MARK)


if __name__ == "__main__":
    main()
