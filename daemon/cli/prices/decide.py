"""`budget prices quarantine | preview | approve | reject | set | pin | unpin | rollback`."""

import sys
from decimal import Decimal
from typing import Any

import click

from daemon.cli import units
from daemon.cli.calls import options
from daemon.cli.kinds import Pair, Usd
from daemon.cli.prices.model import Model, Named, rates
from daemon.cli.table import Column, figures, render, words
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]
MODEL = click.argument("model", type=Named(owned=True))
NOTE = click.option("--note", help="Why; kept in the journal.")
SOURCE = click.option("--source", help="Take what this source says, where they disagree.")
RATES = (
    click.option("--in", "read", type=Usd(), help="USD per million input tokens."),
    click.option("--out", "written", type=Usd(), help="USD per million output tokens."),
    click.option(
        "--rate", "others", type=Pair(), multiple=True,
        help="Any other kind, per million: cache_read=0.30. May be repeated.",
    ),
    click.option(
        "--unit-rate", "pieces", type=Pair(), multiple=True,
        help="A kind by the piece: web_search=0.01. May be repeated.",
    ),
)  # fmt: skip
SEVERITIES = {"critical": "red", "warning": "yellow", "info": "white"}


@click.command("quarantine", cls=Verb)
@click.option("--provider", help="Only this provider's.")
@click.option("--guard", help="Only what this rule stopped: disputed, leap, zero, …")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@click.pass_obj
def quarantine(console: Console, /, limit: int | None, **fields: Any) -> None:
    """Prices that are not applied, and who says what."""
    reply = console.pages("list_quarantine", limit, **fields)
    console.answer(reply, lambda: _cases(reply["items"]))


def _cases(items: list[Json]) -> str:
    if not items:
        return "  nothing waits"
    columns = [
        *words("model", "stopped by", "$/M now", "source says $/M"),
        Column("detail", optional=True),
        Column("since", optional=True),
    ]
    rows = []
    for case in items:
        guard = click.style(case["guard"], fg=SEVERITIES[case["severity"]])
        told = [
            f"{source} {rates(said, 'input', 'output')}" for source, said in case["says"].items()
        ] or [""]
        name = f"{case['provider']}/{case['model']}"
        name += " (rejected)" if case["state"] == "rejected" else ""
        now = rates(case["in_force"], "input", "output")
        rows.append([name, guard, now, told[0], case["detail"], units.when(case["since"])])
        rows += [["", "", "", more, "", ""] for more in told[1:]]
    return render(columns, rows)


@click.command("preview", cls=Verb)
@MODEL
@options(*RATES)
@SOURCE
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True)
@click.pass_obj
def preview(console: Console, /, model: Model, source: str | None, days: int, **typed: Any) -> None:
    """What the quarantined price, or one of your own, would have made of past calls."""
    reply = _preview(console, model, source=source, days=days, price=_price(typed))
    console.answer(reply, lambda: _impact(reply))


def _preview(console: Console, model: Model, **fields: Any) -> Json:
    return console.ask("preview_price", **model.fields, **fields)


def _impact(reply: Json) -> str:
    columns = [*words("policy"), *figures("calls", "booked", "would be", "change")]
    rows = [
        [
            row["policy"], units.count(row["calls"]), units.usd(row["booked_usd"]),
            units.usd(row["would_be_usd"]), _change(row["change_usd"]),
        ]
        for row in reply["policies"]
    ]  # fmt: skip
    total = [
        "all calls", units.count(reply["calls"]), units.usd(reply["booked_usd"]),
        units.usd(reply["would_be_usd"]), _change(reply["change_usd"]),
    ]  # fmt: skip
    return f"  since {units.when(reply['since'])}\n{render(columns, rows, total)}"


def _change(text: str) -> str:
    amount = Decimal(text)
    if not amount:
        return units.usd(text)
    sign = "+" if amount > 0 else ""
    return click.style(f"{sign}{units.usd(text)}", fg="red" if amount > 0 else "green")


@click.command("approve", cls=Verb)
@MODEL
@SOURCE
@NOTE
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def approve(
    console: Console, /, model: Model, source: str | None, note: str | None, *, yes: bool
) -> None:
    """Put a quarantined price in force. On a terminal its effect is shown first."""
    if not yes and console.form == "table" and sys.stdin.isatty() and sys.stdout.isatty():
        click.echo(_impact(_preview(console, model, source=source)))
        click.confirm("apply it?", abort=True)
    reply = console.ask("approve_price", **model.fields, source=source, note=note)
    console.answer(reply, lambda: _decided(reply))


@click.command("reject", cls=Verb)
@MODEL
@NOTE
@click.pass_obj
def reject(console: Console, /, model: Model, note: str | None) -> None:
    """Leave the old price in force; the same proposal does not come again."""
    reply = console.ask("reject_price", **model.fields, note=note)
    console.answer(reply, lambda: _decided(reply))


@click.command("set", cls=Verb)
@MODEL
@options(*RATES)
@click.option("--from", "valid_from", help="In force from this moment (RFC 3339); default: now.")
@click.option("--no-pin", is_flag=True, help="Let sources change it again.")
@NOTE
@click.pass_obj
def set_price(
    console: Console,
    /,
    model: Model,
    valid_from: str | None,
    note: str | None,
    *,
    no_pin: bool,
    **typed: Any,
) -> None:
    """Put a price of your own in force, and pin it.

    budget prices set openai/gpt-5 --in 1.25 --out 10 --rate cache_read=0.125
    """
    price = _price(typed)
    if price is None:
        raise click.UsageError("name a rate: --in, --out, --rate or --unit-rate")
    reply = console.ask(
        "set_price", **model.fields, price=price, valid_from=valid_from, pin=not no_pin, note=note
    )
    console.answer(reply, lambda: _decided(reply))


def _price(typed: Json) -> Json | None:
    told = {"input": typed["read"], "output": typed["written"], **dict(typed["others"])}
    rates_told = {kind: rate for kind, rate in told.items() if rate is not None}
    pieces = dict(typed["pieces"])
    if not rates_told and not pieces:
        return None
    return {"rates": rates_told, "unit_rates": pieces}


@click.command("pin", cls=Verb)
@MODEL
@NOTE
@click.pass_obj
def pin(console: Console, /, model: Model, note: str | None) -> None:
    """Keep MODEL's price as it is, whatever sources say."""
    reply = console.ask("pin_price", **model.fields, pinned=True, note=note)
    console.answer(reply, lambda: _decided(reply))


@click.command("unpin", cls=Verb)
@MODEL
@NOTE
@click.pass_obj
def unpin(console: Console, /, model: Model, note: str | None) -> None:
    """Let sources change MODEL's price again."""
    reply = console.ask("pin_price", **model.fields, pinned=False, note=note)
    console.answer(reply, lambda: _decided(reply))


@click.command("rollback", cls=Verb)
@MODEL
@click.option("--to", "price_version", help="Which version; default: the one before.")
@NOTE
@click.pass_obj
def rollback(console: Console, /, model: Model, **fields: Any) -> None:
    """Put an earlier version of MODEL's price in force again, and pin it."""
    reply = console.ask("rollback_price", **model.fields, **fields)
    console.answer(reply, lambda: _decided(reply))


def _decided(reply: Json) -> str:
    name = f"{reply['provider']}/{reply['model']}"
    lines = [f"  {name}  {reply['price_version'] or 'no price'}"]
    if reply["before"] != reply["price_version"]:
        lines.append(f"  before  {reply['before'] or 'no price'}")
    if reply["pinned"]:
        lines.append("  pinned: sources do not change it")
    if reply["corrected_calls"]:
        calls = units.count(reply["corrected_calls"], "provisional calls")
        lines.append(f"  corrected {calls}")
    return "\n".join(lines)
