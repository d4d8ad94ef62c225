"""`budget archive`: closed months of the journal, in files of their own."""

from typing import Any

import click

from daemon.cli import units
from daemon.cli.answer import Stop
from daemon.cli.progress import Line, gauge
from daemon.cli.table import figures, render, words
from daemon.cli.verb import Console, Verb
from protocols.archive import AFTER_MONTHS

Json = dict[str, Any]
LOOK_S = 0.3
"""How long the daemon may wait before it says how far it is."""


@click.command(cls=Verb)
@click.option(
    "--after", "after_months", type=click.IntRange(0, 1200), default=AFTER_MONTHS,
    show_default=True, metavar="MONTHS",
    help="Full months that stay beside the one of now; 0: every closed month is moved.",
)  # fmt: skip
@click.option("--list", "only_list", is_flag=True, help="Only show what is archived.")
@click.pass_obj
def archive(console: Console, /, after_months: int, *, only_list: bool) -> None:
    """Move closed months out of the journal's database, each into archive/MONTH.db, and seal it.

    Calls go on meanwhile. Lists, reports, replay, late settles, verify, backup and export reach
    what was moved. Nothing is lost if it is interrupted: it goes on by itself.
    """
    if only_list:
        reply = console.ask("show_archive")
    else:
        reply = worked(console, console.ask("archive_months", after_months=after_months))
    console.answer(reply, lambda: _archive(reply))


def worked(console: Console, reply: Json) -> Json:
    """Look on until nothing is being done."""
    with Line() as line:
        while reply["status"] == "working":
            share = reply["done"] / reply["total"] if reply["total"] else 0.0
            line.draw(f"{reply['doing'] or 'looking'} {reply['month'] or ''} {gauge(share)}")
            reply = console.ask("show_archive", wait_s=LOOK_S)
    if reply["failed"]:
        raise Stop(f"not archived: {reply['failed']}")
    return reply


def _archive(reply: Json) -> str:
    if not reply["months"]:
        return "  every month lies in the database"
    columns = [*words("month"), *figures("entries", "size"), *words("to entry", "archived")]
    rows = [
        [one["month"], units.count(one["entries"]), f"{one['size_bytes'] / 1_000_000:,.1f} MB",
         f"{one['last_seq']:,}", units.when(one["archived_at"])]
        for one in reply["months"]
    ]  # fmt: skip
    return render(columns, rows)
