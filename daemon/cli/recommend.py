"""`budget recommend`: models for a described work, and what a month of them costs."""

from typing import Any

import click

from daemon.cli import units
from daemon.cli.kinds import Count, Usd
from daemon.cli.table import Column, figures, render, words
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]


@click.command(cls=Verb)
@click.argument("component")
@click.option("--in", "input_tokens", type=Count(), required=True, help="Tokens in, of one call.")
@click.option("--out", "output_tokens", type=Count(), required=True, help="Tokens out.")
@click.option("--calls", "calls_per_day", type=Count(), default=1, help="Calls a day; default 1.")
@click.option("--max-usd", "max_usd_per_month", type=Usd(), help="At most so many dollars a month.")
@click.option("--model", help="The model in use, to compare with.")
@click.option("--provider", help="Who sells it.")
@click.option("--needs", multiple=True, help="What it must do: tools, vision, …")
@click.option("--task", "task_type", help="The task type, as policies match it.")
@click.pass_obj
def recommend(console: Console, /, **fields: Any) -> None:
    """Which models could do this work for COMPONENT, the cheapest first.

    budget recommend apollo --in 1000 --out 200 --calls 500 --model gpt-4o
    """
    reply = console.ask("recommend_models", **fields)
    console.answer(reply, lambda: _table(reply))


def _table(reply: Json) -> str:
    lines = []
    if reply["now_usd_per_month"] is not None:
        lines.append(f"  now {units.usd(reply['now_usd_per_month'])} a month")
    if not reply["items"]:
        return "\n".join([*lines, f"  no model fits; {reply['dearer']} would be dearer"])
    rows = [
        [
            f"{row['provider']}/{row['model']}", units.usd(row["usd_per_call"]),
            units.usd(row["usd_per_month"]),
            "" if row["saves_usd_per_month"] is None else units.usd(row["saves_usd_per_month"]),
            row["tier"],
        ]
        for row in reply["items"]
    ]  # fmt: skip
    columns = [
        *words("model"), *figures("a call", "a month", "saves"), Column("tier", optional=True),
    ]  # fmt: skip
    return "\n".join([*lines, render(columns, rows)])
