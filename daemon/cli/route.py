"""`budget route`: which model may do a job now, and why each of the others may not."""

from collections import Counter
from typing import Any

import click

from daemon.cli import units
from daemon.cli.calls import JOB, KEY, options, wanted
from daemon.cli.kinds import Usd
from daemon.cli.table import figures, render, words
from daemon.cli.verb import Console, Verb
from protocols.routing.words import ORDERS

Json = dict[str, Any]
MARKS = {
    "taken": ("→", "green"), "fits": ("✓", None), "past_limit": ("!", "yellow"),
    "refused": ("✗", "red"),
}  # fmt: skip
SHOWN = 12
WHY_MAX = 78


@click.command(cls=Verb)
@click.argument("component")
@click.argument("model", required=False)
@options(*JOB)
@click.option(
    "--candidate", "candidates", multiple=True,
    help="provider/model or a glob, the preferred first; instead of those of budget.toml.",
)  # fmt: skip
@click.option("--max-usd", type=Usd(), help="The dearest the call may be.")
@click.option("--order", type=click.Choice(ORDERS), help="Default: what the route says.")
@click.option("--cheapest", "order", flag_value="cheapest", help="Short for --order cheapest.")
@click.option("--hold", is_flag=True, default=None, help="Hold it in the same step, as reserve.")
@click.option("--show", "limit", type=click.IntRange(1, 1000), default=SHOWN, help="Rows; 12.")
@KEY
@click.pass_obj
def route(console: Console, /, key: str | None, **fields: Any) -> int:
    """Which model may do this job of COMPONENT now? MODEL is what is asked for, if anything.

    Tried in this order: as asked, a cheaper one of the same provider, a cheaper one of another,
    a free local one. Exit code 5: none fits.
    """
    fields["candidates"] = list(fields["candidates"]) or None
    reply = console.ask("route", key, **wanted(fields))
    console.answer(reply, lambda: _routed(reply))
    return 5 if reply["outcome"] == "refused" else 0


def _routed(reply: Json) -> str:
    rows = reply["candidates"]
    lines = [_headline(reply, rows)]
    if reply["reservation"]:
        held = reply["reservation"]
        until = units.when(held["expires_at"])
        lines.append(f"    {held['reservation_id']}  held until {until}")
    columns = [*words("", "model"), *figures("would hold", "room"), *words("why")]
    lines += ["", render(columns, [_row(row) for row in rows])]
    hidden = reply["candidates_total"] - len(rows)
    if hidden:
        total = reply["candidates_total"]
        lines.append(click.style(f"  {hidden} more; --show {total} shows all", dim=True))
    return "\n".join(lines)


def _headline(reply: Json, rows: list[Json]) -> str:
    if reply["outcome"] == "refused":
        reasons = Counter(row["reason"] for row in rows)
        told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
        return f"{click.style('none', fg='red', bold=True)}  {reply['detail']} ({told})"
    taken = next(row for row in rows if row["verdict"] == "taken")
    colour = "green" if reply["outcome"] == "as_asked" else "yellow"
    name = click.style(f"{reply['provider']}/{reply['model']}", fg=colour, bold=True)
    outcome = reply["outcome"].replace("_", " ")
    return f"{name}  {outcome}, {units.usd(taken['usd'])}\n    {reply['detail']}"


def _row(row: Json) -> list[str]:
    mark, colour = MARKS[row["verdict"]]
    why = row["detail"]
    if len(why) > WHY_MAX:
        why = why[: WHY_MAX - 1] + "…"
    return [
        click.style(mark, fg=colour),
        f"{row['provider']}/{row['model']}",
        "" if row["usd"] is None else units.usd(row["usd"]),
        _room(row["room"]),
        why if row["reason"] is None else f"{row['reason']}: {why}",
    ]


def _room(room: Json | None) -> str:
    """The axis that limits most, or nothing."""
    if room is None:
        return ""
    told = [
        units.amount(axis, room[axis])
        for axis in ("usd", "tokens", "calls")
        if room[axis] is not None
    ]
    return told[0] if told else "no limit"
