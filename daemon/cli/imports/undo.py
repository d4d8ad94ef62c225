"""`budget import list` and `undo`: what came in, and taking it out again."""

from typing import Any

import click

from daemon.cli import units
from daemon.cli.imports.bring import drawn
from daemon.cli.progress import Line
from daemon.cli.table import figures, render, words
from daemon.cli.verb import Console, Verb
from protocols.errors import NotFound

Json = dict[str, Any]


@click.command("list", cls=Verb)
@click.pass_obj
def imported(console: Console) -> None:
    """What came in from elsewhere and is still there."""
    reply = console.pages("list_imports")
    console.answer(reply, lambda: _imports(reply["items"]))


def _imports(items: list[Json]) -> str:
    if not items:
        return "  nothing came in from elsewhere"
    columns = [*words("import"), *figures("rows", "tokens", "cost"), *words("first", "last")]
    rows = [
        [one["import_id"], units.count(one["rows"]), units.count(one["tokens"]),
         units.usd(one["cost_usd"]), one["first"][:10], one["last"][:10]]
        for one in items
    ]  # fmt: skip
    return render(columns, rows)


@click.command(cls=Verb)
@click.argument("import_id")
@click.pass_obj
def undo(console: Console, /, import_id: str) -> None:
    """Take the rows of an import out again, and the policies it made that nobody has changed.

    Nothing is erased: each row gets an entry that is its opposite.
    """
    undone = 0
    with Line() as line:
        while True:
            reply = console.ask("undo_import", import_id=import_id)
            undone += reply["undone"]
            if not reply["left"]:
                break
            line.draw(drawn("undoing", undone, undone + reply["left"]))
    policies = list(_taken_away(console, import_id))
    if not undone and not policies:
        raise NotFound(f"there is nothing of {import_id}", hint="`budget import list` shows them")
    told = {"import_id": import_id, "undone": undone, "policies": policies}
    text = f"undone: {units.count(undone, 'rows')}, {units.count(len(policies), 'policies')}"
    console.answer(told, lambda: text)


def _taken_away(console: Console, import_id: str) -> list[str]:
    """Policies that this import made and that are still as it made them."""
    removed = []
    for entry in console.pages("list_entries", kind="policy_set")["items"]:
        body, name = entry["body"], entry["subject"]
        if body["why"] != f"import {import_id}" or name in removed:
            continue
        try:
            if console.ask("show_policy", name=name)["revision"] == body["revision"]:
                console.ask("remove_policy", name=name, why=f"undo import {import_id}")
                removed.append(name)
        except NotFound:
            continue
    return removed
