"""`budget verify`: recompute the whole journal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from daemon.cli import units
from daemon.cli.answer import Stop
from daemon.cli.journal import DONE, Offline, faults, home_of, load, summary, watched
from daemon.cli.verb import Console

EXIT_WRONG = 65
SHOWN_MAX = 20


@click.command(cls=Offline)
@click.argument("backup", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--expect", metavar="SEQ:HASH",
    help="An entry the journal must have, as an earlier verify or backup printed it.",
)  # fmt: skip
@click.pass_obj
def verify(console: Console, /, backup: Path | None, expect: str | None) -> int:
    """Recompute everything: entries, hash chain, holds, roll-ups, counters, keys, the anchor.

    Reads the journal beside a running daemon too, or the file BACKUP. The exit code is 65 if
    something is wrong.
    """
    home = home_of(console)
    with faults(), watched() as progress:
        report = check(home, backup, expect, lambda done, all_: progress("verifying", done, all_))
    problems: list[str] = report.problems
    where = {"data_dir": str(home)} if backup is None else {"backup": str(backup)}
    reply = summary(report) | {"problems": problems} | where
    console.answer(reply, lambda: _verified(backup or home, report))
    return EXIT_WRONG if problems else 0


def check(
    home: Path,
    backup: Path | None = None,
    expect: str | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Any:
    """Run the daemon's own check."""
    mark = None if expect is None else _mark(expect)
    if backup is None:
        return load("verify").verify(home, progress, mark)
    if not backup.exists():
        raise Stop(f"there is no file {backup}", exit_code=66)
    return load("verify").verify_file(backup, progress, [] if mark is None else [mark])


def _mark(text: str) -> Any:
    try:
        return load("anchor").parse(text)
    except ValueError:
        raise Stop(
            f"{text} is no entry", "write SEQ:HASH, as `budget verify` prints it", exit_code=2
        ) from None


def _verified(where: Path, report: Any) -> str:
    counted = units.count(report.entries, "entries")
    problems: list[str] = report.problems
    if not problems:
        return f"{DONE} {counted}, and everything adds up\n  last  {report.last}"
    shown = [f"  {problem}" for problem in problems[:SHOWN_MAX]]
    if len(problems) > SHOWN_MAX:
        shown.append(f"  … and {len(problems) - SHOWN_MAX:,} more (--json shows all)")
    mark = click.style("✗", fg="red")
    found = units.count(len(problems), "problems")
    return "\n".join((f"{mark} {found} in {counted} of {where}", *shown))
