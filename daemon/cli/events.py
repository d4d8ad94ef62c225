"""`budget events`: what happened, and what happens."""

import json
from typing import Any

import click

from daemon.cli import units
from daemon.cli.table import Column, render, words
from daemon.cli.verb import Console, Verb
from daemon.client.follow import follow

Json = dict[str, Any]
COLOURS = {"info": None, "warning": "yellow", "critical": "red"}
TYPE = "dev.tekton.budget."


@click.command(cls=Verb)
@click.option("--follow", "-f", "live", is_flag=True, help="Go on with what comes, until ^C.")
@click.option("--after", type=click.IntRange(min=0), help="Begin after this number.")
@click.option("--component", help="Only this component's, and what concerns all.")
@click.option("--type", "kind", help="Only these: call.denied, or price.* for a kind.")
@click.option("--alerts", is_flag=True, help="Only what raised, answered or ended an alert.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many."
)
@click.pass_obj
def events(
    console: Console, /, *, live: bool, after: int | None, kind: str | None, limit: int, **only: Any
) -> None:
    """What happened, oldest first: the last few, or everything after a number."""
    only |= {"type": kind, "alerts": "true" if only["alerts"] else None}
    if live:
        _follow(console, {"after": after, **only})
        return
    if after is None:
        newest = console.ask("list_events", limit=1)["last_seq"]
        after = 0 if any(only.values()) else max(0, newest - limit)
    found = list(console.client.items("list_events", {"cursor": after, **only}, None))
    found = found[-limit:] if any(only.values()) else found[:limit]
    console.answer({"items": found, "next_cursor": None}, lambda: _table(found))


def _follow(console: Console, query: Json) -> None:
    for event in follow(console.client, query):
        line = _line(event) if console.form == "table" else json.dumps(event, ensure_ascii=False)
        click.echo(line)


def _line(event: Json) -> str:
    seq, at, kind, component, detail = _row(event)
    head = click.style(f"  {seq:>6}  {at}  ", dim=True)
    return f"{head}{kind}  {detail}" + (f"  ({component})" if component else "")


def _table(found: list[Json]) -> str:
    columns = [*words("seq", "at", "event"), Column("component", optional=True), *words("what")]
    rows = [_row(event) for event in found]
    return render(columns, rows) if rows else "  nothing like this has happened"


def _row(event: Json) -> list[str]:
    kind = event["type"].removeprefix(TYPE).rpartition(".")[0]
    return [
        str(event["seq"]),
        units.when(event["time"]),
        click.style(kind, fg=COLOURS[event["severity"]]),
        event["component"],
        event["data"]["detail"],
    ]
