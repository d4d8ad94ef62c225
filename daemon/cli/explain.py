"""`budget explain`: why a call would be allowed or not, policy by policy."""

from typing import Any

import click

from daemon.cli import units
from daemon.cli.calls import WANTED, options, wanted
from daemon.cli.table import figures, render, words
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]
MARKS = {"admits": ("✓", "green"), "warns": ("!", "yellow"), "denies": ("✗", "red")}


@click.command(cls=Verb)
@options(*WANTED)
@click.pass_obj
def explain(console: Console, /, **fields: Any) -> None:
    """Every policy looked at, the figures, and the smallest change that would allow the call."""
    reply = console.ask("explain", **wanted(fields))
    console.answer(reply, lambda: _explained(reply))


def _explained(reply: Json) -> str:
    held = reply["would_hold"]
    lines = [f"{reply['outcome']}: {f'would hold {units.amounts(held)}' if held else 'no hold'}"]
    if reply["price_version"]:
        lines.append(click.style(f"  price {reply['price_version']}", dim=True))
    rows = [row for policy in reply["considered"] for row in _rows(policy)]
    if rows:
        columns = [*words("", "policy", "enforce"), *figures("left", "limit"), *words("verdict")]
        lines += ["", render(columns, rows)]
    if reply["smallest_change"]:
        lines += ["", f"  to allow it: {reply['smallest_change']}"]
    return "\n".join(lines)


def _rows(policy: Json) -> list[list[str]]:
    mark, colour = MARKS.get(policy["verdict"], ("·", None))
    head = [click.style(mark, fg=colour), policy["policy"], policy["enforce"]]
    if not policy["matched"]:
        return [[*head, "", "", f"does not match: {policy['why_not']}"]]
    return [
        [*(head if first else ["", "", ""]), left, limit, policy["verdict"] if first else ""]
        for first, left, limit in _figures(policy["standings"])
    ] or [[*head, "", "", policy["verdict"]]]


def _figures(standings: list[Json]) -> list[tuple[bool, str, str]]:
    return [
        (place == 0, units.amount(at["axis"], at["left"]), units.amount(at["axis"], at["limit"]))
        for place, at in enumerate(standings)
    ]
