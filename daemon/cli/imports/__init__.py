"""`budget import`: bring in what another program, or another budget daemon, has kept."""

import click

from daemon.cli.imports.journal import journal


@click.group(name="import")
def imports() -> None:
    """Bring in what was kept elsewhere."""


imports.add_command(journal)
