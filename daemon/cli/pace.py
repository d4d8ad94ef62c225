"""`budget pace`: budget against actual, and where the rate of now leads."""

from collections.abc import Sequence
from typing import Any

import click

from daemon.cli import units
from daemon.cli.table import Column, figures, paced, percent, render, words
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]


@click.command(cls=Verb)
@click.option("--policy", help="Only this policy.")
@click.option("--budget", help="Only policies of this budget.")
@click.option("--component", help="Only policies that can match this component.")
@click.pass_obj
def pace(console: Console, /, **fields: Any) -> None:
    """Budget against actual: used, how much of the window has passed (│), where that leads.

    A plain rate, no forecast: what was used until now, and as much again for the same time.
    """
    reply = console.pages("list_paces", **fields)
    console.answer(reply, lambda: paces(reply["items"]))


def paces(items: Sequence[Json]) -> str:
    if not items:
        return "  no window is open: nothing was counted yet under any policy"
    columns = [
        *words("policy", "limit", "used"), *figures("", "at the end"),
        Column("runs out"), Column("ends", optional=True),
    ]  # fmt: skip
    return render(columns, [_row(at) for at in items])


def _row(at: Json) -> list[str]:
    axis = at["axis"]
    key = f" ({at['key']})" if at["key"] else ""
    used = 1.0 if at["used_share"] is None else at["used_share"]
    out = at["runs_out_at"]
    return [
        at["policy"] + key,
        units.amount(axis, at["limit"]),
        paced(used, at["passed_share"]),
        percent(used),
        "" if at["at_end"] is None else units.figure(axis, at["at_end"]),
        "" if out is None else click.style(units.when(out), fg="red"),
        units.when(at["window_ends"]),
    ]
