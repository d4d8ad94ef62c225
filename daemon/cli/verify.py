"""`budget verify`: recompute the whole journal."""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from daemon import client
from daemon.cli import units
from daemon.cli.answer import Stop
from daemon.cli.progress import Line, gauge
from daemon.cli.verb import DATA_DIR, Console, Plain

EXIT_WRONG = 65
SHOWN_MAX = 20


class Offline(Plain):
    """Works on the data directory itself, whether a daemon runs or not."""

    where = (DATA_DIR,)


@click.command(cls=Offline)
@click.pass_obj
def verify(console: Console) -> int:
    """Recompute everything: entries, hash chain, holds, roll-ups, counters.

    Reads the journal beside a running daemon too. The exit code is 65 if something is wrong.
    """
    home = console.where["data_dir"] or client.default_data_dir(os.environ)
    with Line() as line:
        report = check(home, _drawn(line))
    problems: list[str] = report.problems
    reply = {"entries": report.entries, "problems": problems, "data_dir": str(home)}
    console.answer(reply, lambda: _verified(home, report.entries, problems))
    return EXIT_WRONG if problems else 0


def check(home: Path, progress: Callable[[int, int], None]) -> Any:
    """Run the daemon's own check. Raises `Stop` when there is nothing to read."""
    fault_of_journal = import_module("daemon.journal.faults").JournalFault
    try:
        return import_module("daemon.journal.verify").verify(home, progress)
    except fault_of_journal as fault:
        raise Stop(str(fault), exit_code=fault.exit_code) from None


def _drawn(line: Line) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        share = done / total if total else 1.0
        line.draw(f"verifying {gauge(share)} {units.count(done, 'entries')} of {total:,}")

    return progress


def _verified(home: Path, entries: int, problems: list[str]) -> str:
    counted = units.count(entries, "entries")
    if not problems:
        return f"{click.style('✓', fg='green')} {counted}, and everything adds up"
    shown = [f"  {problem}" for problem in problems[:SHOWN_MAX]]
    if len(problems) > SHOWN_MAX:
        shown.append(f"  … and {len(problems) - SHOWN_MAX:,} more (--json shows all)")
    mark = click.style("✗", fg="red")
    return "\n".join((f"{mark} {len(problems):,} problems in {counted} of {home}", *shown))
