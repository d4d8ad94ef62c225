"""`budget prices sources | refresh | take`: who says what models cost, and asking them now."""

import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import click

from daemon.cli import units
from daemon.cli.progress import Line
from daemon.cli.table import Column, figures, render, words
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]
COLOURS = {"ok": "green", "held": "yellow", "stale": "yellow", "failed": "red", "never": "red"}
FRAME_S = 0.1


@click.command("sources", cls=Verb)
@click.pass_obj
def sources(console: Console, /) -> None:
    """The price sources: how old, how many models, what is wrong."""
    reply = console.ask("list_price_sources")
    console.answer(reply, lambda: _sources(reply["items"]))


@click.command("refresh", cls=Verb)
@click.option("--source", help="Only this one.")
@click.pass_obj
def refresh(console: Console, /, source: str | None) -> None:
    """Ask the sources now, check them against each other, apply what is beyond doubt."""
    reply = _waiting(console, "asking the price sources", "refresh_prices", source=source)
    console.answer(reply, lambda: _refreshed(reply))


@click.command("take", cls=Verb)
@click.argument("source")
@click.option("--note", help="Why; kept in the journal.")
@click.pass_obj
def take(console: Console, /, source: str, note: str | None) -> None:
    """Believe the file of SOURCE that was kept aside because it changed too much at once."""
    reply = _waiting(console, "judging the file", "approve_source", source=source, note=note)
    console.answer(reply, lambda: _refreshed(reply))


def _waiting(console: Console, doing: str, operation: str, **fields: Any) -> Json:
    """Ask, and show that something is going on."""
    began = time.monotonic()
    with Line() as line, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(console.ask, operation, **fields)
        while not wait([asked], FRAME_S).done:
            line.spin(f"{doing}  {time.monotonic() - began:.0f} s")
        return asked.result()


def _refreshed(reply: Json) -> str:
    counts = reply["models"]
    rows = [[name, units.count(number)] for name, number in counts.items()]
    blocks = [_sources(reply["sources"]), render([*words("prices"), *figures("models")], rows)]
    if reply["guards"]:
        stopped = [[guard, units.count(number)] for guard, number in reply["guards"].items()]
        blocks.append(render([*words("stopped by"), *figures("models")], stopped))
    if counts["quarantined"]:
        blocks.append("  budget prices quarantine  shows what waits for you")
    return "\n\n".join(blocks)


def _sources(items: list[Json]) -> str:
    if not items:
        return "  no price source is switched on: the package's book is in force"
    columns = [
        *words("source", "family", "state", "last word"), *figures("models", "rows refused"),
        Column("what is wrong"),
    ]  # fmt: skip
    rows = [
        [
            item["name"],
            item["family"],
            click.style(item["state"], fg=COLOURS[item["state"]]),
            "never" if item["age_s"] is None else f"{units.lasting(item['age_s'])} ago",
            units.count(item["models"]),
            units.count(item["rejected_rows"]),
            item["failure"] or "",
        ]
        for item in items
    ]
    return render(columns, rows)
