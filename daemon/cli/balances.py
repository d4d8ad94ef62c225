"""`budget balances`: limit, used, held and left of every open window."""

from typing import Any

import click

from daemon.cli.standings import standings
from daemon.cli.verb import Console, Verb


@click.command(cls=Verb)
@click.option("--policy", help="Only this policy.")
@click.option("--component", help="Only policies that can match this component.")
@click.pass_obj
def balances(console: Console, /, **fields: Any) -> None:
    """Limit, used, held and left of every counter that is open now."""
    reply = console.pages("show_balances", **fields)
    console.answer(reply, lambda: standings(reply["items"]))
