"""`budget prices`: what models cost, who says so, and what a person decides about it."""

import click

from daemon.cli.prices import decide, look, sources


@click.group()
def prices() -> None:
    """See what models cost and who says so; decide where the sources are in doubt."""


for verb in (
    look.listed, look.show, look.history, look.diff,
    sources.sources, sources.refresh, sources.take,
    decide.quarantine, decide.preview, decide.approve, decide.reject,
    decide.set_price, decide.pin, decide.unpin, decide.rollback,
):  # fmt: skip
    prices.add_command(verb)
