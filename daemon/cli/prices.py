"""`budget prices list` and `budget cost`: rates, and what a usage costs at them."""

from typing import Any

import click

from daemon.cli import units
from daemon.cli.calls import USED, options, used
from daemon.cli.table import Column, figures, render, words
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]


@click.group()
def prices() -> None:
    """Look at the prices in force."""


@prices.command("list", cls=Verb)
@click.option("--provider", help="Only this provider's.")
@click.option("--model", help="Only models like this; * stands for any.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@click.pass_obj
def prices_list(console: Console, /, limit: int | None, **fields: Any) -> None:
    """Every price, in USD per million tokens."""
    reply = console.pages("list_prices", limit, **fields)
    console.answer(reply, lambda: _prices(reply["items"]))


def _prices(items: list[Json]) -> str:
    columns = [
        *words("provider", "model"),
        *figures("$/M in", "$/M cached", "$/M out"),
        Column("source", optional=True),
    ]
    kinds = ("input", "cache_read", "output")
    rows = [
        [
            price["provider"],
            price["model"],
            *(
                units.exact_usd(rate) if (rate := price["rates"].get(kind)) else ""
                for kind in kinds
            ),
            "free" if price["free"] else price["source"],
        ]
        for price in items
    ]
    return render(columns, rows) if rows else "  no price is known like this"


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
