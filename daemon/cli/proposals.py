"""`budget proposals`: what the assistant would change, and your word about it."""

import json
from typing import Any

import click

from daemon.cli import units
from daemon.cli.table import render, words
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]
WHAT = {"set_policy": "policy", "approve_price": "price"}
FIGURES_MAX = 12


@click.group()
def proposals() -> None:
    """See what the assistant would change; apply it as yourself, or put it aside."""


@proposals.command("list", cls=Verb)
@click.option("--status", type=click.Choice(("open", "applied", "dismissed")))
@click.pass_obj
def proposals_list(console: Console, /, **fields: Any) -> None:
    """What was proposed, newest first."""
    reply = console.pages("list_proposals", **fields)
    console.answer(reply, lambda: _list(reply["items"]))


def _list(items: list[Json]) -> str:
    if not items:
        return "  no proposal yet; `budget ask` may make one"
    rows = [
        [made["proposal_id"], made["status"], headline(made), units.when(made["proposed_at"])]
        for made in items
    ]
    return render(words("proposal", "status", "what", "when"), rows)


def headline(made: Json) -> str:
    """Say in one line what it would do."""
    fields = made["fields"]
    if made["operation"] == "set_policy":
        limit = ", ".join(f"{axis} {value}" for axis, value in fields["limit"].items() if value)
        return f"policy {fields['name']}: {limit} {fields['period']}"
    return f"price of {fields['provider']}/{fields['model']}"


@proposals.command("show", cls=Verb)
@click.argument("proposal_id")
@click.pass_obj
def proposals_show(console: Console, /, proposal_id: str) -> None:
    """One proposal: the difference, and what it would have done."""
    reply = console.ask("show_proposal", proposal_id=proposal_id)
    console.answer(reply, lambda: _shown(reply))


def _shown(made: Json) -> str:
    lines = [f"{headline(made)}  ({made['status']})"]
    if made["why"]:
        lines.append(f"  why: {made['why']}")
    lines.append(f"  asked by {made['asked_by']}, {units.when(made['proposed_at'])}")
    if made["ended_by"]:
        lines.append(f"  {made['status']} by {made['ended_by']}, {units.when(made['ended_at'])}")
    if made["diff"]:
        lines += ["", *(_change(change) for change in made["diff"])]
    lines += ["", *_effect(made)]
    if made["status"] == "open":
        lines += ["", f"  budget proposals apply {made['proposal_id']}"]
    return "\n".join(lines)


def _change(change: Json) -> str:
    before, after = (_value(change[side]) for side in ("before", "after"))
    old = click.style(f"- {before}", fg="red") if change["before"] is not None else ""
    new = click.style(f"+ {after}", fg="green") if change["after"] is not None else ""
    return f"  {change['field']:<24} {'  '.join(part for part in (old, new) if part)}"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _effect(made: Json) -> list[str]:
    """Show the single figures of the replay; the rest is in `-o json`."""
    if made["effect"] is None:
        return [click.style(f"  not proven: {made['effect_missing']}", fg="yellow")]
    single = [
        f"    {name:<22} {_value(value)}"
        for name, value in made["effect"].items()
        if value is not None and not isinstance(value, list | dict)
    ]
    return ["  on the last 30 days:", *single[:FIGURES_MAX]]


@proposals.command("apply", cls=Verb)
@click.argument("proposal_id")
@click.pass_obj
def proposals_apply(console: Console, /, proposal_id: str) -> None:
    """Do what was proposed, as yourself."""
    reply = console.ask("apply_proposal", proposal_id=proposal_id)
    console.answer(reply, lambda: f"applied: {headline(reply)}")


@proposals.command("dismiss", cls=Verb)
@click.argument("proposal_id")
@click.pass_obj
def proposals_dismiss(console: Console, /, proposal_id: str) -> None:
    """Put it aside."""
    reply = console.ask("dismiss_proposal", proposal_id=proposal_id)
    console.answer(reply, lambda: f"dismissed: {headline(reply)}")
