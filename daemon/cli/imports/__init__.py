"""`budget import`: bring in what another program, or another budget daemon, has kept."""

import click

from daemon.cli.imports.apollo import apollo
from daemon.cli.imports.journal import journal
from daemon.cli.imports.rhetor import rhetor
from daemon.cli.imports.undo import imported, undo


@click.group(name="import")
def imports() -> None:
    """Bring in what was kept elsewhere."""


for command in (apollo, rhetor, journal, imported, undo):
    imports.add_command(command)
