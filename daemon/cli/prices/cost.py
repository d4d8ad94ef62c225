"""`budget cost`: what a usage costs, rate by rate."""

from typing import Any

import click

from daemon.cli import units
from daemon.cli.calls import USED, options, used
from daemon.cli.table import figures, render, words
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]


@click.command(cls=Verb)
@click.argument("model")
@options(*USED)
@click.option("--provider", help="Who sells the model; default: its maker.")
@click.option("--mode", help="standard, batch, flex, priority or fast.")
@click.option("--region", help="The region, where it changes the price.")
@click.option("--at", help="Price it as of this moment (RFC 3339).")
@click.pass_obj
def cost(console: Console, /, **fields: Any) -> None:
    """Price a usage of MODEL to the last digit, at the prices known now. Books nothing.

    The usage is the provider's own object, from --usage or stdin, or plain counts.
    """
    usage = used(fields)
    reply = console.ask("quote", usage=usage, **fields)
    console.answer(reply, lambda: _quote(reply))


def _quote(reply: Json) -> str:
    rows = []
    for line in reply["lines"]:
        rate = line.get("rate_usd_per_million")
        per = f"{units.exact_usd(rate or line['rate_usd_per_unit'])} / {'M' if rate else 'each'}"
        unit = "tokens" if rate else ""
        rows.append(
            [line["kind"], units.count(line["count"], unit), per, units.exact_usd(line["usd"])]
        )
    total = ["total", "", "", units.exact_usd(reply["cost_exact_usd"])]
    columns = [*words("kind"), *figures("count", "rate", "cost")]
    note = "  estimated: a rate is an upper bound\n" if reply["estimated"] else ""
    version = click.style(f"  price {reply['price_version']}", dim=True)
    return f"{render(columns, rows, total)}\n{note}{version}"
