"""`budget report`: what was spent, by any part of a call and of time."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from daemon.cli import focus
from daemon.cli.answer import FORMS
from daemon.cli.calls import options
from daemon.cli.kinds import Pair
from daemon.cli.spending import spending
from daemon.cli.verb import Console, Verb
from tekton_budget.zone import local_zone

Json = dict[str, Any]
SPANS = (
    "today", "yesterday", "this-week", "last-week", "this-month", "last-month",
    "last-24-hours", "last-7-days", "last-30-days",
)  # fmt: skip
PIECES = ("hour", "day", "week", "month")
WHAT: Sequence[Callable[[Any], Any]] = (
    click.argument("span", type=click.Choice(SPANS), required=False, metavar="[SPAN]"),
    click.option(
        "--by", help="Tell apart, with commas: component, provider, model, tier, task_type, "
        "policy, budget, price_version, tags, tag.NAME."
    ),
    click.option("--every", type=click.Choice(PIECES), help="Cut the span into such pieces."),
    click.option("--since", help="A day (2026-11-01) or a time (2026-11-24T09:00Z)."),
    click.option("--until", help="Not included; until now if not given."),
    click.option("--zone", help="Whose days, such as Europe/Berlin; default: this machine's."),
    click.option("--component", help="Only this component's."),
    click.option("--provider", help="Only these: a name, or a glob with *. So are the next three."),
    click.option("--model"),
    click.option("--tier"),
    click.option("--task-type"),
    click.option("--policy", help="Only what counted in this policy,"),
    click.option("--budget", help="or in any policy of this budget."),
    click.option("--tag", type=Pair(), multiple=True, help="Only with this tag; a glob will do."),
    click.option("--compare", is_flag=True, help="Beside the same length of time before."),
    click.option(
        "--order", type=click.Choice(("cost", "tokens", "calls", "denied", "change")),
        help="What comes first; default: cost. change needs --compare.",
    ),
    click.option("--top", "limit", type=click.IntRange(1, 10_000), help="At most so many rows."),
)  # fmt: skip


class ReportVerb(Verb):
    """It can also write the columns that finance departments read."""

    forms = (*FORMS, "focus")


@click.command(cls=ReportVerb)
@options(*WHAT)
@click.pass_obj
def report(console: Console, /, **fields: Any) -> None:
    r"""What was spent: dollars, tokens by kind, calls, refusals.

    SPAN is this-month if not given, or today, yesterday, this-week, last-week, last-month,
    last-24-hours, last-7-days, last-30-days.

    \b
    budget report --by model                          who took the money this month
    budget report last-7-days --by component --every day
    budget report this-month --by model --compare --order change
    budget report last-month -o focus > focus.csv     FOCUS 1.2, one line a day and model
    """
    ask = question(fields)
    if console.form == "focus":
        focus.write(console.ask("show_report", **focus.columns_of(ask)))
        return
    lines = ask.get("limit")
    if console.form == "table" and "every" in ask and "group_by" in ask:
        ask["limit"] = focus.ROWS_MAX  # the pieces of a group become one line
    reply = console.ask("show_report", **ask)
    console.answer(reply, lambda: spending(reply, lines))


def question(fields: Json) -> Json:
    """The request as the daemon takes it."""
    ask = {name: value for name, value in fields.items() if value not in (None, ())}
    if span := ask.get("span"):
        ask["span"] = span.replace("-", "_")
    if by := ask.pop("by", None):
        ask["group_by"] = [name.strip() for name in by.split(",") if name.strip()]
    if tags := ask.pop("tag", ()):
        ask["tags"] = dict(tags)
    ask.setdefault("zone", local_zone())
    return ask
