"""`budget savings`: which cheaper models could have done the same, and what they would save."""

from typing import Any

import click

from daemon.cli import units
from daemon.cli.table import figures, render, words
from daemon.cli.verb import Console, Verb
from protocols.routing.words import CAPABILITIES

Json = dict[str, Any]


@click.command(cls=Verb)
@click.option("--span", help="last_7_days, this_month …; default: last_30_days.")
@click.option("--since", help="A day or a time, instead of --span.")
@click.option("--until", help="Not included; default: now.")
@click.option("--component", help="This component's calls only.")
@click.option("--task-type", help="Calls of this task type only.")
@click.option(
    "--need", "needs", type=click.Choice(CAPABILITIES), multiple=True, metavar="ABILITY",
    help="What the model must be able to do, beyond what is known of the calls.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(1, 1000), help="Rows; 20.")
@click.pass_obj
def savings(console: Console, /, **fields: Any) -> None:
    """Which cheaper models could have done the calls of a period, and what they would have saved.

    They are known to take the largest call that was made. Whether their work is as good is yours to
    try.
    """
    fields["needs"] = list(fields["needs"]) or None
    reply = console.ask("find_savings", **fields)
    console.answer(reply, lambda: _shown(reply))


def _shown(reply: Json) -> str:
    since, until = units.when(reply["since"]), units.when(reply["until"])
    spent = f"{units.usd(reply['booked_usd'])} spent"
    lines = [f"{click.style(f'{since} to {until}', bold=True)}  {spent}", ""]
    if not reply["items"]:
        return "\n".join([*lines, "  nothing that a cheaper model is known to be able to do"])
    columns = [
        *words("component", "task", "model"), *figures("calls", "spent"), *words("instead"),
        *figures("would be", "saves"),
    ]  # fmt: skip
    rows = [row for item in reply["items"] for row in _rows(item)]
    saving = units.usd(reply["saving_usd"])
    return "\n".join([*lines, render(columns, rows), "", f"  at most {saving} saved"])


def _rows(item: Json) -> list[list[str]]:
    """One line for each alternative; what they share stands in the first."""
    head = [
        item["component"], item["task_type"], f"{item['provider']}/{item['model']}",
        units.count(item["calls"]), units.usd(item["booked_usd"]),
    ]  # fmt: skip
    return [
        [
            *(head if place == 0 else [""] * len(head)),
            f"{one['provider']}/{one['model']}",
            units.usd(one["would_be_usd"]),
            units.usd(one["saving_usd"]),
        ]
        for place, one in enumerate(item["alternatives"])
    ]
