"""How an answer leaves the command line: a table for people, JSON or CSV for programs."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import click

from daemon.cli import units
from protocols.errors import BudgetError

Form = Literal["table", "json", "jsonl", "csv"]
FORMS: tuple[Form, ...] = ("table", "json", "jsonl", "csv")
Json = dict[str, Any]


def answer(form: Form, reply: Json, table: Callable[[], str]) -> None:
    """One reply. A list in it is what `jsonl` and `csv` have a line for each of."""
    items = reply.get("items")
    lines = items if isinstance(items, list) else [reply]
    match form:
        case "table":
            click.echo(table())
        case "json":
            click.echo(json.dumps(reply, indent=2, ensure_ascii=False))
        case "jsonl":
            for line in lines:
                click.echo(json.dumps(line, ensure_ascii=False))
        case "csv":
            _csv(lines)


def _csv(lines: Iterable[Json]) -> None:
    rows = [flat(line) for line in lines]
    titles = list(dict.fromkeys(title for row in rows for title in row))
    writer = csv.DictWriter(sys.stdout, titles, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def flat(value: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested fields under dotted names; a list as its JSON."""
    row: dict[str, Any] = {}
    for name, inner in value.items():
        match inner:
            case dict():
                row |= flat(inner, f"{above}{name}.")
            case list():
                row[above + name] = json.dumps(inner, ensure_ascii=False)
            case _:
                row[above + name] = inner
    return row


class Stop(Exception):
    """A verb cannot go on, for a reason that did not come from the daemon."""

    def __init__(
        self, detail: str, hint: str | None = None, lines: Sequence[str] = (), *, exit_code: int = 1
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.lines = lines
        self.exit_code = exit_code


def complain(detail: str, hint: str | None = None, lines: Sequence[str] = ()) -> None:
    """Say what is wrong, its particulars and what to do about it, on stderr."""
    click.echo(f"{click.style('error:', fg='red', bold=True)} {detail}", err=True)
    for line in lines:
        click.echo(f"  {line}", err=True)
    if hint:
        click.echo(f"{click.style('hint:', fg='cyan')} {hint}", err=True)


def refuse(error: BudgetError) -> None:
    """Say why not, with the figures, on stderr."""
    complain(error.detail, error.hint, [*wrong_fields(error.facts), *denial(error.facts)])


def wrong_fields(facts: Mapping[str, Any]) -> list[str]:
    """Name the fields that did not validate, one a line."""
    told = facts.get("errors")
    if not isinstance(told, list):
        return []
    return [f"{wrong['field']}: {wrong['problem']}; {wrong['remedy']}" for wrong in told]


def denial(facts: Mapping[str, Any]) -> list[str]:
    """Give the figures of a denied call: where it stands, when it resets, what would fit."""
    axis = facts.get("axis")
    if axis not in ("usd", "tokens", "calls"):
        return []
    used, held, left, limit = (
        units.amount(axis, facts[name]) for name in ("used", "held", "left", "limit")
    )
    lines = [f"policy   {facts['policy']}: {used} used + {held} held of {limit}, {left} left"]
    lines.append(f"resets   {units.when(facts.get('resets_at'))}")
    if fits := facts.get("fits"):
        lines.append(f"fits     at most {units.count(fits['max_output_tokens'], 'output tokens')}")
    return [*lines, *(f"cheaper  {cheaper(model)}" for model in facts.get("cheaper") or [])]


def cheaper(rival: Mapping[str, str]) -> str:
    """Name a model that would have fitted, with what it would have held."""
    return f"{rival['model']} would hold {units.usd(rival['usd'])}"
