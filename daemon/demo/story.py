"""What the demo shows: the day as it goes, then refusal, balances and costs."""

from decimal import Decimal
from typing import Any

import click

from daemon.cli import units
from daemon.cli.answer import cheaper
from daemon.cli.standings import standings
from daemon.cli.table import bar, figures, render, words
from daemon.demo.day import Call, clock
from daemon.demo.replay import Booked, Heard, Refused, Released, Repeated, Warned
from daemon.demo.tally import Sum, Tally

Json = dict[str, Any]
LIMIT_USD = 3
"""What `budget.toml` beside this file allows the house."""


def title(text: str) -> str:
    return click.style(text, bold=True)


def opening() -> str:
    """Say what is about to be seen."""
    limit = units.usd(str(LIMIT_USD))
    return f"""{title("A day in an AI house")}
Four components share {limit} a day. The daemon, the prices and the usage objects
are real; no model is called, nothing is sent anywhere, nothing is paid.
"""


def running(tally: Tally) -> str:
    """Draw the day so far in one line: the hour, how full the limit is, the last call."""
    if tally.last is None:
        return "  the day begins"
    share = float(tally.total.usd) / LIMIT_USD
    spent = f"${tally.total.usd.quantize(units.CENT)} of {units.usd(str(LIMIT_USD))}"
    who = click.style(f"{tally.last.component} {tally.last.model}", dim=True)
    calls = units.count(tally.total.calls, "calls")
    return f"  {clock(tally.last.minute)}  {bar(share, width=24)}  {spent}  {calls}  {who}"


def news(event: Heard) -> str | None:
    """Tell an event in one line that stays."""
    match event:
        case Booked(call=call):
            asked = units.count(call.max_output_tokens, "output tokens")
            return _at(call, f"{event.kind}: more than its {asked}; booked in full")
        case Warned(call=call):
            return _at(call, f"warned: {event.policy} has reached {event.threshold:.0%}")
        case Released(call=call):
            return _at(call, "released: the provider was silent, so the hold goes back")
        case Repeated(call=call):
            return _at(call, "repeated: one request sent twice under one key is held once")
        case Refused(call=call):
            return _at(call, f"refused: {call.model}")
        case _:
            return None


def _at(call: Call, text: str) -> str:
    kind, colon, rest = text.partition(":")
    colour = {"refused": "red", "warned": "yellow", "overrun": "yellow"}.get(kind, "cyan")
    return (
        f"  {clock(call.minute)}  {call.component:<6}  {click.style(kind, fg=colour)}{colon}{rest}"
    )


def ending(tally: Tally, balances: list[Json], report: Any) -> str:
    """Tell the whole day: the refusal, the balances, the costs."""
    first = tally.refusals[0]
    items = sorted(balances, key=lambda at: at["policy"] != first.error.facts["policy"])
    return f"""
{refusal(first)}

{title("Balances")}
{standings(items)}

{title("Cost by component and model")}
{costs(tally)}

{checked(tally, items[0]["used"], report)}
Your own: {title("budget up")}, then {title("budget policy set --help")}"""


def checked(tally: Tally, house_used: str, report: Any) -> str:
    """Tell whether the receipts, the balance and the journal agree."""
    entries = units.count(report.entries, "entries")
    receipts = units.count(tally.total.calls, "receipts")
    same = tally.total.usd == Decimal(house_used)
    return "\n".join(
        (
            _tick(good=same) + f"{receipts} add up to the balance of the house, to the last digit",
            _tick(good=report.clean) + f"{entries} verified: every figure was worked out again",
        )
    )


def _tick(*, good: bool) -> str:
    return click.style("✓ ", fg="green") if good else click.style("✗ not so: ", fg="red")


def refusal(refused: Refused) -> str:
    """Tell a refusal with every number it rests on, and what to do instead."""
    call, facts = refused.call, refused.error.facts
    axis = str(facts["axis"])
    shown = {
        name: units.amount(axis, facts[name])  # type: ignore[arg-type]  # a denial's own figures
        for name in ("asked", "limit", "used", "held", "left")
    }
    resets: Any = facts["resets_at"]
    lines = [
        ("policy", f"{facts['policy']}, {shown['limit']} until {units.when(resets)}"),
        ("used", f"{shown['used']}, and {shown['held']} held for calls under way"),
        ("left", shown["left"]),
        ("asked", f"{shown['asked']} at most: {_size(call)}"),
    ]
    fits: Any = facts.get("fits")
    if fits:
        most = units.count(fits["max_output_tokens"], "output tokens")
        lines.append(("fits", f"the same call with at most {most}"))
    rivals: Any = facts.get("cheaper") or []
    lines += [("cheaper", cheaper(rival)) for rival in rivals]
    no = click.style(" 402 ", fg="white", bg="red", bold=True)
    head = f"{no} {title(f'{call.component} may not call {call.model} at {clock(call.minute)}')}"
    return "\n".join((head, *(f"  {name:<8} {text}" for name, text in lines)))


def _size(call: Call) -> str:
    tokens = units.count(call.input_tokens, "tokens")
    return f"{tokens} in, up to {units.count(call.max_output_tokens)} out"


def costs(tally: Tally) -> str:
    """Show what was booked by component and model, dearest component first."""
    order = sorted(
        tally.by_model.items(), key=lambda at: (-tally.by_component[at[0][0]].usd, -at[1].usd)
    )
    rows, before = [], ""
    for (component, model), sum_ in order:
        name = component if component != before else ""
        share = bar(float(sum_.usd / tally.total.usd), width=10, colour="cyan")
        rows.append([name, model, *_figures(sum_), share])
        before = component
    columns = [*words("component", "model"), *figures("calls", "tokens", "cost"), *words("")]
    return render(columns, rows, ["total", "", *_figures(tally.total), ""])


def _figures(sum_: Sum) -> list[str]:
    return [units.count(sum_.calls), units.count(sum_.tokens), units.exact_usd(sum_.usd)]
