"""`budget policy`: list, show, set and remove."""

from typing import Any

import click

from daemon.cli import units
from daemon.cli.calls import options
from daemon.cli.kinds import Count, Pair, Usd
from daemon.cli.standings import standings
from daemon.cli.table import Column, render, words
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]
AXES = ("usd", "tokens", "calls")
WHY = click.option("--why", help="The reason, kept in the journal.")
RULE = (
    click.option("--usd", type=Usd(), help="At most so many dollars per period."),
    click.option("--tokens", type=Count(), help="At most so many tokens, of all kinds together."),
    click.option("--calls", type=Count(), help="At most so many calls."),
    click.option(
        "--period", required=True,
        help="hourly, daily, weekly, monthly, total, per_session, per_task, rolling:5h, …",
    ),
    click.option("--zone", help="Whose midnight: UTC, or a zone such as Europe/Berlin."),
    click.option(
        "--match", type=Pair(), multiple=True,
        help="Which calls: component, provider, model, tier, task_type or tag.NAME = glob.",
    ),
    click.option("--each", help="One counter for each component, model, tag.NAME, …"),
    click.option("--enforce", type=click.Choice(("ignore", "warn", "soft", "hard"))),
    click.option("--warn-at", type=click.FloatRange(0, 1), multiple=True, help="0.8 and 0.95."),
    click.option(
        "--hold-share", type=click.FloatRange(0, 1, min_open=True),
        help="How much of the limit one component may hold at once: 0.5.",
    ),
    click.option("--on-limit", type=click.Choice(("deny", "downgrade"))),
    click.option("--unpriced", type=click.Choice(("refuse", "envelope"))),
    click.option("--override-priority", type=click.IntRange(1, 10), help="Who may pass the limit,"),
    click.option("--override-usd", type=Usd(), help="and by how many dollars."),
    click.option("--budget", help="The budget it belongs to; default: default."),
)  # fmt: skip


@click.group()
def policy() -> None:
    """Say which calls may cost how much, per which period, how strictly."""


@policy.command("list", cls=Verb)
@click.option("--budget", help="Only this budget's.")
@click.pass_obj
def policy_list(console: Console, /, **fields: Any) -> None:
    """All policies."""
    reply = console.pages("list_policies", **fields)
    console.answer(reply, lambda: _policies([shown["policy"] for shown in reply["items"]]))


def _policies(rules: list[Json]) -> str:
    if not rules:
        return "  no policy yet: nothing is limited\n  budget policy set --help shows how"
    columns = words("policy", "applies to", "limit", "per", "enforce")
    rows = [row for rule in rules for row in _rows(rule)]
    return render([*columns, Column("budget", optional=True)], rows)


def _rows(rule: Json) -> list[list[str]]:
    """One row an axis; the words only in the first."""
    limits = _limits(rule["limit"])
    first = [rule["name"], applies(rule), limits[0], rule["period"], rule["enforce"]]
    return [
        [*first, rule["budget"]],
        *(["", "", limit, "", "", ""] for limit in limits[1:]),
    ]


def _limits(limit: Json) -> list[str]:
    return [units.amount(axis, limit[axis]) for axis in AXES if limit.get(axis) is not None]


def applies(rule: Json) -> str:
    """Which calls a policy means: model=claude-*, each component."""
    match = dict(rule["match"])
    tags = match.pop("tags", None) or {}
    parts = [f"{name}={glob}" for name, glob in match.items() if glob is not None]
    parts += [f"tag.{name}={glob}" for name, glob in tags.items()]
    if rule.get("each"):
        parts.append(f"each {rule['each']}")
    return " ".join(parts) or "every call"


@policy.command("show", cls=Verb)
@click.argument("name")
@click.pass_obj
def policy_show(console: Console, /, name: str) -> None:
    """One policy, who set it, and where it stands."""
    reply = console.ask("show_policy", name=name)
    console.answer(reply, lambda: _shown(console, reply))


def _shown(console: Console, /, reply: Json) -> str:
    rule = reply["policy"]
    warn_at = ", ".join(f"{level:.0%}" for level in rule["warn_at"])
    lines = [
        (rule["name"], f"{' and '.join(_limits(rule['limit']))} {rule['period']} ({rule['zone']})"),
        ("applies to", applies(rule)),
        ("enforce", f"{rule['enforce']}, warns at {warn_at}, at the limit: {rule['on_limit']}"),
        ("unpriced", rule["unpriced"]),
        (
            "set by",
            f"{reply['set_by']}, {units.when(reply['set_at'])}, revision {reply['revision']}",
        ),
    ]
    if over := rule.get("override"):
        lines.append(("override", f"{units.usd(over['usd'])} from priority {over['priority']}"))
    width = max(len(title) for title, _ in lines)
    about = "\n".join(f"  {title:<{width}}  {text}" for title, text in lines)
    return f"{about}\n\n{standings(console.pages('show_balances', policy=rule['name'])['items'])}"


@policy.command("set", cls=Verb)
@click.argument("name")
@options(*RULE)
@WHY
@click.pass_obj
def policy_set(console: Console, /, name: str, **typed: Any) -> None:
    """Make the policy NAME, or replace it.

    budget policy set apollo-daily --usd 5 --period daily --match component=apollo
    """
    reply = console.ask("set_policy", name=name, **_rule(typed))
    console.answer(reply, lambda: _policies([reply["policy"]]))


def _rule(typed: Json) -> Json:
    """Make the fields of a policy; what was not typed is the daemon's default."""
    limit = {axis: value for axis in AXES if (value := typed.pop(axis)) is not None}
    if not limit:
        raise click.UsageError("limit something: --usd, --tokens or --calls")
    match: Json = {}
    for name, glob in typed.pop("match"):
        if name.startswith("tag."):
            match.setdefault("tags", {})[name.removeprefix("tag.")] = glob
        else:
            match[name] = glob
    over = {"priority": typed.pop("override_priority"), "usd": typed.pop("override_usd")}
    override = {name: value for name, value in over.items() if value is not None}
    warn_at = list(typed.pop("warn_at")) or None
    return typed | {
        "limit": limit, "match": match or None, "override": override or None, "warn_at": warn_at,
    }  # fmt: skip


@policy.command("rm", cls=Verb)
@click.argument("name")
@WHY
@click.pass_obj
def policy_rm(console: Console, /, name: str, why: str | None) -> None:
    """Take the policy NAME away. Its entries stay in the journal."""
    reply = console.ask("remove_policy", name=name, why=why)
    console.answer(reply, lambda: f"removed {reply['name']}  {reply['entry_id']}")
