"""`budget replay`: what other policies, prices or routes would have made of the past."""

import tomllib
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from daemon.cli import units
from daemon.cli.answer import Stop
from daemon.cli.progress import Line, gauge
from daemon.cli.table import figures, render, words
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]
SHOWN = 20
LOOK_S = 0.5
"""How long the daemon may wait before it says how far it is."""
DETAIL_MAX = 70
TABLES = {"policy": "policies", "route": "routes", "price": "prices"}
"""Tables of a draft file, and the fields of the request they become."""
MARKS = {
    "refused": ("✗", "red"), "downgraded": ("↓", "yellow"), "let_in": ("+", "green"),
    "as_asked": ("↑", "green"),
}  # fmt: skip


@click.command(cls=Verb)
@click.argument("draft", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--span", help="last_7_days, this_month …; default: last_30_days.")
@click.option("--since", help="A day or a time, instead of --span.")
@click.option("--until", help="Not included; default: now.")
@click.option("--without", multiple=True, help="A policy to leave out; may be repeated.")
@click.option("--component", help="Count and show this component's calls only.")
@click.option("--show", "limit", type=click.IntRange(0, 1000), default=SHOWN, help="Rows; 20.")
@click.pass_obj
def replay(console: Console, /, draft: Path | None, **fields: Any) -> None:
    """Decide the past again with a DRAFT. Nothing is changed.

    DRAFT is a file with [[policy]] and [[route]] as in budget.toml, and [[price]] with provider,
    model and rates. A policy takes the place of the one of its name, or is added.
    """
    fields["without"] = list(fields["without"]) or None
    reply = console.ask("replay", **fields | _drafts(draft), wait=False)
    with Line() as line:
        while reply["status"] == "working":
            seen, total = reply["entries"], reply["entries_total"]
            line.draw(f"{gauge(seen / total if total else 0)} {seen:,} entries")
            reply = console.ask("show_replay", replay_id=reply["replay_id"], wait_s=LOOK_S)
    console.answer(reply, lambda: _replayed(reply))


def _drafts(path: Path | None) -> Json:
    if path is None:
        return {}
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise Stop(f"cannot read {path}: {error}", exit_code=2) from error
    stray = sorted(told.keys() - TABLES.keys())
    if stray:
        hint = "a draft has [[policy]], [[route]] and [[price]]"
        raise Stop(f"{path} has {', '.join(stray)}", hint, exit_code=2)
    fields = {TABLES[name]: tables for name, tables in told.items()}
    for price in fields.get("prices", ()):
        rates = price.pop("rates", {})
        price["price"] = {"rates": {kind: str(rate) for kind, rate in rates.items()}}
    for policy in fields.get("policies", ()):
        if "warn_at" in policy:
            policy["warn_at"] = [float(at) for at in policy["warn_at"]]
    return fields


def _replayed(reply: Json) -> str:
    since, until = units.when(reply["since"]), units.when(reply["until"])
    lines = [
        click.style(f"{since} to {until}", bold=True),
        "",
        render(
            [*words(""), *figures("then", "now")],
            [
                ["calls", units.count(reply["calls_then"]), units.count(reply["calls_now"])],
                ["refused", units.count(reply["denied_then"]), units.count(reply["denied_now"])],
                ["tokens", units.count(reply["booked_tokens"]),
                 units.count(reply["would_be_tokens"])],
                ["cost", units.usd(reply["booked_usd"]), units.usd(reply["would_be_usd"])],
            ],
        ),
    ]  # fmt: skip
    if not reply["differences_total"]:
        return "\n".join([*lines, "", "  no call would have gone another way"])
    for title in ("policies", "components"):
        columns = [
            *words(title),
            *figures("refused", "downgraded", "let in", "cost"),
            *words("first"),
        ]
        lines += ["", render(columns, [_effect(row) for row in reply[title]])]
    columns = [*words("", "when", "component", "model"), *figures("then", "now"), *words("why")]
    if reply["differences"]:
        lines += ["", render(columns, [_row(row) for row in reply["differences"]])]
    hidden = reply["differences_total"] - len(reply["differences"])
    if hidden:
        lines.append(click.style(f"  {hidden} more; --show shows more", dim=True))
    return "\n".join(lines)


def _effect(row: Json) -> list[str]:
    many = [units.count(row[name]) for name in ("refused", "downgraded", "let_in")]
    change = units.usd(row["change_usd"])
    sign = "" if change.startswith("-") else "+"
    return [row["name"], *many, sign + change, units.when(row["first_at"])]


def _row(row: Json) -> list[str]:
    mark, colour = MARKS[row["what"]]
    at = datetime.fromisoformat(row["at"]).astimezone()
    name = f"{row['provider']}/{row['model']}"
    became = f" → {row['became']}" if row["became"] else ""
    detail = row["detail"]
    if len(detail) > DETAIL_MAX:
        detail = detail[: DETAIL_MAX - 1] + "…"
    return [
        click.style(mark, fg=colour), f"{at.day} {at:%b %H:%M:%S}", row["component"],
        name + became, units.usd(row["booked_usd"]), units.usd(row["would_be_usd"]), detail,
    ]  # fmt: skip
