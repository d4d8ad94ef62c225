"""`budget entries`: the journal, line by line."""

from decimal import Decimal
from typing import Any

import click

from daemon.cli import units
from daemon.cli.table import Column, figures, render, words
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]
NANOS = Decimal(1_000_000_000)


@click.command(cls=Verb)
@click.option("--component", help="Only this component's.")
@click.option("--kind", help="held, denied, settled, overrun, released, policy_set, …")
@click.option("--subject", help="Only about this reservation, allocation or policy.")
@click.option("--calls", is_flag=True, default=None, help="Only bookings and refusals.")
@click.option("--newest", is_flag=True, default=None, help="The newest first.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many."
)
@click.pass_obj
def entries(console: Console, /, limit: int, **fields: Any) -> None:
    """Read the journal, oldest first: what happened, with every figure."""
    reply = console.pages("list_entries", limit, **fields)
    console.answer(reply, lambda: _entries(reply["items"]))


def _entries(items: list[Json]) -> str:
    columns = [
        *words("seq", "at", "kind", "component"),
        *figures("cost", "tokens"),
        *words("about"),
        Column("subject", optional=True),
    ]
    rows = [_row(entry) for entry in items]
    return render(columns, rows) if rows else "  the journal has nothing like this"


def _row(entry: Json) -> list[str]:
    body = entry["body"]
    usd, tokens = body.get("usd"), body.get("tokens")
    model = body.get("model", "")
    return [
        str(entry["seq"]),
        units.when(entry["at"]),
        entry["kind"],
        entry["component"],
        units.usd(Decimal(usd) / NANOS) if isinstance(usd, int) else "",
        units.count(tokens) if isinstance(tokens, int) else "",
        model if isinstance(model, str) else "",
        entry["subject"],
    ]
