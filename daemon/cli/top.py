"""`budget top`: the spending, live: budgets, who spends, what is held."""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from daemon.cli import units
from daemon.cli.pace import paces
from daemon.cli.spending import spending
from daemon.cli.table import figures, render, spark, words
from daemon.cli.verb import Console, Verb
from tekton_budget.zone import local_zone

Json = dict[str, Any]
OTHER_SCREEN, OWN_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?1049l\x1b[?25h"
HOME, TO_END_OF_LINE, TO_END = "\x1b[H", "\x1b[K", "\x1b[J"
HELD_SHOWN = 5
PACES_SHOWN = 8


@click.command(cls=Verb)
@click.option("--by", default="component,model", show_default=True, help="Whom to tell apart.")
@click.option(
    "--interval", type=click.FloatRange(min=0.2), default=2.0, show_default=True,
    help="Seconds between two looks.",
)  # fmt: skip
@click.option("--once", is_flag=True, help="Look once; so it does where there is no terminal.")
@click.pass_obj
def top(console: Console, /, by: str, interval: float, *, once: bool) -> None:
    """Watch the spending: today by the hour, budgets and their pace, who spends, what is held.

    Ctrl-C ends it.
    """
    if once or not sys.stdout.isatty() or console.form != "table":
        seen = look(console, by)
        console.answer(seen, lambda: shown(seen))
        return
    with screen():
        while True:
            draw(shown(look(console, by)))
            time.sleep(interval)


def look(console: Console, by: str) -> Json:
    """Four questions, one picture."""
    zone = local_zone()
    group_by = [name.strip() for name in by.split(",")]
    held = console.ask("list_reservations", status="held", limit=1000)
    return {
        "hours": console.ask("show_report", span="last_24_hours", every="hour", zone=zone),
        "today": console.ask("show_report", span="today", group_by=group_by, zone=zone, limit=10),
        "paces": console.pages("list_paces")["items"],
        "held": held["items"],
        "more_held": held["next_cursor"] is not None,
    }


def shown(seen: Json) -> str:
    hours = seen["hours"]["items"]
    total, today = seen["hours"]["total"], seen["today"]["total"]
    costs = spark([float(hour["figures"]["cost_usd"]) for hour in hours])
    calls = spark([hour["figures"]["calls"] for hour in hours])
    refused = units.count(today["denied"], "refusals")
    lines = [
        f"  today {click.style(units.usd(today['cost_usd']), bold=True)} · "
        f"{units.count(today['tokens'], 'tokens')} · {units.count(today['calls'], 'calls')} · "
        + (click.style(refused, fg="red") if today["denied"] else refused),
        "",
        f"  $ by the hour      {click.style(costs, fg='cyan')}  {units.usd(total['cost_usd'])}",
        f"  calls by the hour  {click.style(calls, fg='cyan')}  {units.count(total['calls'])}",
        "",
        paces(fullest(seen["paces"])),
        "",
        spending(seen["today"]),
        "",
        holds(seen["held"], more=seen["more_held"]),
    ]
    return "\n".join(lines)


def fullest(items: list[Json]) -> list[Json]:
    """The budgets of which most is used; `budget pace` has them all."""
    return sorted(items, key=lambda at: -(at["used_share"] or 0))[:PACES_SHOWN]


def holds(items: list[Json], *, more: bool) -> str:
    """The newest of what is held now, and how much there is."""
    if not items:
        return click.style("  nothing is held", dim=True)
    rows = [
        [
            hold["component"], f"{hold['provider']}/{hold['model']}",
            units.usd(hold["held"]["usd"]), units.count(hold["held"]["tokens"]),
            units.when(hold["expires_at"]),
        ]
        for hold in items[: -HELD_SHOWN - 1 : -1]
    ]  # fmt: skip
    count = f"{len(items):,}+" if more else units.count(len(items), "calls")
    columns = [*words("held", "model"), *figures("$", "tokens"), *words("expires")]
    return f"  {count} under way\n{render(columns, rows)}"


@contextmanager
def screen() -> Iterator[None]:
    """A screen of our own; the person's comes back whatever happens."""
    sys.stdout.write(OTHER_SCREEN)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        sys.stdout.write(OWN_SCREEN)
        sys.stdout.flush()


def draw(text: str) -> None:
    """Write over what was there, line by line, so that nothing flickers."""
    height = shutil.get_terminal_size().lines - 1
    lines = text.splitlines()[:height]
    click.echo(HOME + "".join(f"{line}{TO_END_OF_LINE}\n" for line in lines) + TO_END, nl=False)
