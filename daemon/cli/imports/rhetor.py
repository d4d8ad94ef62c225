"""`budget import rhetor`: usage and limits of Rhetor's database."""

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from daemon.cli.answer import Stop
from daemon.cli.calls import options
from daemon.cli.imports.bring import OPTIONS, bring, drawn
from daemon.cli.imports.zone import checked
from daemon.cli.progress import Line
from daemon.cli.verb import Console, Verb


@click.command(cls=Verb)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@options(*OPTIONS)
@click.pass_obj
def rhetor(console: Console, /, file: Path, zone: str | None, **flags: Any) -> int:
    """Bring in what Rhetor booked in FILE, and its limits that are active.

    Without --apply nothing is written: what would come in is shown. A row comes in once, however
    often this is repeated; it counts in reports of its own time and in no policy.
    """
    source = import_module("daemon.imports.rhetor")
    try:
        with Line() as line:
            plan = source.read(
                file, checked(zone), lambda done, all_: line.draw(drawn("reading", done, all_))
            )
    except source.NotRhetor as problem:
        raise Stop(str(problem), exit_code=65) from None
    return bring(console, plan, **flags)
