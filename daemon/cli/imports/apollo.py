"""`budget import apollo`: policies and usage of Apollo's data directory."""

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from daemon.cli.answer import Stop
from daemon.cli.calls import options
from daemon.cli.imports.bring import OPTIONS, bring
from daemon.cli.imports.zone import checked
from daemon.cli.verb import Console, Verb


@click.command(cls=Verb)
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False, exists=True))
@options(*OPTIONS)
@click.pass_obj
def apollo(console: Console, /, directory: Path, zone: str | None, **flags: Any) -> int:
    """Bring in the policies and the usage that Apollo left in DIRECTORY.

    Without --apply nothing is written: what would come in is shown. A record comes in once, however
    often this is repeated; it counts in reports of its own time and in no policy.
    """
    source = import_module("daemon.imports.apollo")
    try:
        plan = source.read(directory, checked(zone))
    except source.NotApollo as problem:
        raise Stop(str(problem), exit_code=65) from None
    return bring(console, plan, **flags)
