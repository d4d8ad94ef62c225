"""`budget import journal`: a journal made again from its export."""

import sys
from contextlib import nullcontext
from pathlib import Path

import click

from daemon.cli.answer import Stop
from daemon.cli.journal import DONE, Offline, counted, home_of, load, stopped, summary, watched
from daemon.cli.verb import Console


@click.command(cls=Offline)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.pass_obj
def journal(console: Console, /, file: Path) -> None:
    """Make a journal from what `budget export` wrote (- is stdin), checking every line.

    Into a data directory that has none yet; totals come out as they were.
    """
    home = home_of(console)
    try:
        lines = nullcontext(sys.stdin) if str(file) == "-" else file.open(encoding="utf-8")
    except OSError as error:
        raise Stop(f"cannot read {file}: {error.strerror}", exit_code=66) from None
    with lines as opened, stopped(home), watched() as progress:
        report = load("imported").import_journal(opened, home, progress)
    reply = {"data_dir": str(home), **summary(report)}
    text = f"{DONE} {counted(report)} imported to {home}, verified\n  last  {report.last}"
    console.answer(reply, lambda: text)
