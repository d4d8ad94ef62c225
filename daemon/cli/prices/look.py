"""`budget prices list | show | history | diff`: what is in force, and how it came about."""

from decimal import Decimal
from typing import Any

import click

from daemon.cli import units
from daemon.cli.prices.model import Model, Named, rates
from daemon.cli.table import Column, figures, render, words
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]
MODEL = click.argument("model", type=Named())


@click.command("list", cls=Verb)
@click.option("--provider", help="Only this provider's.")
@click.option("--model", help="Only models like this; * stands for any.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@click.pass_obj
def listed(console: Console, /, limit: int | None, **fields: Any) -> None:
    """Every price, in USD per million tokens."""
    reply = console.pages("list_prices", limit, **fields)
    console.answer(reply, lambda: _prices(reply["items"]))


def _prices(items: list[Json]) -> str:
    columns = [
        *words("provider", "model"),
        *figures("$/M in", "$/M cached", "$/M out"),
        Column("source", optional=True),
    ]
    rows = [
        [
            price["provider"],
            price["model"],
            *(_rate(price, kind) for kind in ("input", "cache_read", "output")),
            "free" if price["free"] else price["source"],
        ]
        for price in items
    ]
    return render(columns, rows) if rows else "  no price is known like this"


def _rate(price: Json, kind: str) -> str:
    rate = price["rates"].get(kind)
    return units.exact_usd(rate) if rate else ""


@click.command("show", cls=Verb)
@MODEL
@click.pass_obj
def show(console: Console, /, model: Model) -> None:
    """All about one MODEL's price: rates, tiers, hours, who says so, what waits."""
    reply = console.ask("show_price", **model.fields)
    console.answer(reply, lambda: _page(reply))


def _page(found: Json) -> str:
    blocks = [_head(found)]
    if found["version"] is not None:
        blocks.append(_rates(found["version"]["price"]))
    if found["says"]:
        rows = [[source, rates(told, "input", "output")] for source, told in found["says"].items()]
        blocks.append(render(words("source says", "$/M in / out"), rows))
    if found["case"] is not None:
        case = found["case"]
        blocks.append(f"  {click.style('waits', fg='yellow')}  {case['guard']}: {case['detail']}")
    for coming in found["announced"]:
        told = {kind: rate for kind, rate in coming.items() if kind not in ("source", "from")}
        costs = rates(told, "input", "output")
        blocks.append(f"  from {coming['from']}, says {coming['source']}: {costs} per million")
    return "\n\n".join(blocks)


def _head(found: Json) -> str:
    name = click.style(f"{found['provider']}/{found['model']}", bold=True)
    version = found["version"]
    if version is None:
        return f"  {name}  no price is in force"
    pinned = f"  {click.style('pinned', fg='yellow')}" if found["pinned"] else ""
    since = "" if version["valid_from"] is None else f", {units.when(version['valid_from'])}"
    about = f"{version['price']['source']}; {version['state']} by {version['by']}{since}"
    note = f"\n  {version['note']}" if version["note"] else ""
    price = click.style(version["price"]["price_version"], dim=True)
    return f"  {name}{pinned}\n  {about}\n  {price}{note}"


def _rates(price: Json) -> str:
    tables = {"": price["rates"]}
    for tier in price["long_context"]:
        sign = "≥" if tier["inclusive"] else ">"
        tables[f"{sign} {tier['threshold'] // 1000:,}k"] = tier["rates"]
    tables |= price["modes"]
    for hours in price["hours"]:
        tables[f"{hours['starts']}-{hours['ends']} UTC"] = hours["rates"]
    kinds = list(dict.fromkeys(kind for table in tables.values() for kind in table))
    rows = [
        [kind, *(units.exact_usd(t[kind]) if kind in t else "" for t in tables.values())]
        for kind in kinds
    ]
    titles = [f"$/M {name}".strip() for name in tables]
    lines = [render([*words("tokens"), *figures(*titles)], rows)] if rows else []
    if price["unit_rates"]:
        told = [[kind, units.exact_usd(rate)] for kind, rate in price["unit_rates"].items()]
        lines.append(render([*words("piece"), *figures("$ each")], told))
    lines += [
        f"  tokens in {region}: times {factor}" for region, factor in price["regions"].items()
    ]
    return "\n\n".join(lines)


@click.command("history", cls=Verb)
@MODEL
@click.pass_obj
def history(console: Console, /, model: Model) -> None:
    """Every version of one MODEL's price, newest first."""
    reply = console.ask("list_price_history", **model.fields)
    console.answer(reply, lambda: _versions(reply["items"]))


def _versions(items: list[Json]) -> str:
    columns = [
        *words("", "from", "state", "by", "$/M in / out"),
        Column("version", optional=True),
        Column("note", optional=True),
    ]
    rows = [
        [
            click.style("●", fg="green") if item["in_force"] else " ",
            "the package" if item["valid_from"] is None else units.when(item["valid_from"]),
            item["state"],
            item["by"],
            rates(item["price"]["rates"] or item["price"]["unit_rates"], "input", "output"),
            item["price"]["price_version"],
            item["note"] or "",
        ]
        for item in items
    ]
    return render(columns, rows)


@click.command("diff", cls=Verb)
@click.option("--since", help="Only from this moment (RFC 3339).")
@click.option("--provider", help="Only this provider's.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True)
@click.pass_obj
def diff(console: Console, /, limit: int, **fields: Any) -> None:
    """What changed in the prices in force since the package's book, newest first."""
    reply = console.pages("diff_prices", limit, **fields)
    console.answer(reply, lambda: _moves(reply["items"]))


def _moves(items: list[Json]) -> str:
    if not items:
        return "  nothing has changed"
    columns = [
        *words("when", "model", "kind"), *figures("before $", "after $", "factor"),
        Column("by", optional=True),
    ]  # fmt: skip
    rows = [
        [
            units.when(move["at"]),
            f"{move['provider']}/{move['model']}",
            move["kind"],
            "" if move["before_usd"] is None else units.exact_usd(move["before_usd"]),
            units.exact_usd(move["after_usd"]),
            _factor(move),
            move["by"],
        ]
        for move in items
    ]
    return render(columns, rows)


def _factor(move: Json) -> str:
    before, after = move["before_usd"], Decimal(move["after_usd"])
    if before is None or not Decimal(before) or not after:
        return ""
    factor = after / Decimal(before)
    colour = "red" if factor > 1 else "green"
    return click.style(f"{factor:.2f}x", fg=colour)
