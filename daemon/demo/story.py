"""What the demo shows: the line while it runs, then refusal, balances and costs."""

from typing import Any

import click

from daemon.cli import units
from daemon.cli.answer import cheaper
from daemon.cli.standings import standings
from daemon.cli.table import bar, figures, render, words
from daemon.demo.day import clock
from daemon.demo.replay import Refused
from daemon.demo.tally import Tally

Json = dict[str, Any]
LIMIT_USD = 3
"""What `budget.toml` beside this file allows the house."""


def opening() -> str:
    """Say what is about to be seen."""
    return "\n".join(
        (
            title("A day in an AI house"),
            f"Four components share {units.usd(str(LIMIT_USD))} a day. The daemon, the usage objects and the",
            "prices are real; no model is called and nothing is sent anywhere.",
        )
    )


def ending(tally: Tally, balances: list[Json], entries: int) -> str:
    """Tell the whole day: the refusal, the balances, the costs, and what else happened."""
    return "\n".join((
        "", refusal(tally.refusals[0]), "", stopped(tally),
        "", title("Balances"), standings(balances),
        "", title("Cost by component and model"), costs(tally),
        "", happened(tally, entries),
        "", f"Yours: {title('budget up')}, then {title('budget policy set')} --help.",
    ))  # fmt: skip


def running(tally: Tally) -> str:
    """Draw the day so far in one line: the hour, how full the limit is, the last call."""
    if tally.last is None:
        return "the day begins"
    share = float(tally.total.usd) / LIMIT_USD
    spent = f"{units.usd(tally.total.usd.quantize(units.CENT))} of {units.usd(str(LIMIT_USD))}"
    who = click.style(f"{tally.last.component} {tally.last.model}", dim=True)
    calls = units.count(tally.total.calls, "calls")
    return f"  {clock(tally.last.minute)}  {bar(share, width=24)}  {spent}  {calls}  {who}"


def title(text: str) -> str:
    return click.style(text, bold=True)


def refusal(refused: Refused) -> str:
    """Tell the first refusal with every number it rests on, and what to do instead."""
    call, facts = refused.call, refused.error.facts
    no = click.style(" 402 ", fg="white", bg="red", bold=True)
    axis = str(facts["axis"])
    asked, limit, used, held, left = (
        units.amount(axis, facts[name])  # type: ignore[arg-type]  # a denial's own figures
        for name in ("asked", "limit", "used", "held", "left")
    )
    lines = [
        f"  {no} {call.component} may not call {call.model} at {clock(call.minute)}.",
        "",
        f"  It could cost up to {asked}, and the policy {title(str(facts['policy']))} has {left}",
        f"  left of {limit}: {used} is spent, {held} is held for calls under way.",
        "",
        f"  resets     {units.when(facts['resets_at'])}",  # type: ignore[arg-type]
    ]
    fits: Any = facts.get("fits")
    if fits:
        lines.append(
            f"  would fit  at most {units.count(fits['max_output_tokens'], 'output tokens')}"
        )
    rivals: Any = facts.get("cheaper")
    lines += [f"  cheaper    {cheaper(rival)}" for rival in rivals or []]
    return "\n".join(lines)


def stopped(tally: Tally) -> str:
    """Tell who stopped when."""
    when = [f"{at.call.component} {clock(at.call.minute)}" for at in tally.refusals]
    return f"  Everyone stops at the first refusal: {', '.join(when)}."


def costs(tally: Tally) -> str:
    """Show what was booked by component and model, dearest component first."""
    by_component: dict[str, Any] = {}
    for (component, _), sum_ in tally.sums.items():
        by_component[component] = by_component.get(component, 0) + sum_.usd
    order = sorted(tally.sums.items(), key=lambda at: (-by_component[at[0][0]], -at[1].usd))
    rows = []
    before = ""
    for (component, model), sum_ in order:
        share = float(sum_.usd / tally.total.usd)
        rows.append([
            component if component != before else "", model, units.count(sum_.calls),
            units.count(sum_.tokens), units.exact_usd(sum_.usd), bar(share, width=10),
        ])  # fmt: skip
        before = component
    total = [
        "total", "", units.count(tally.total.calls), units.count(tally.total.tokens),
        units.exact_usd(tally.total.usd), "",
    ]  # fmt: skip
    columns = [*words("component", "model"), *figures("calls", "tokens", "cost"), *words("")]
    return render(columns, rows, total)


def happened(tally: Tally, entries: int) -> str:
    """Tell what else the day had: overruns, releases, a repeated request."""
    facts = [
        f"{over.call.component} thought longer than it had asked for: booked in full, "
        f"flagged {over.kind}"
        for over in tally.overruns
    ]
    if tally.released:
        facts.append(f"{units.count(tally.released, 'calls')} not made: the holds went back")
    if tally.repeated and tally.repeated.same:
        facts.append("1 request sent twice under one key: held once")
    facts.append(f"{units.count(entries, 'entries')} in the journal, each one hashed")
    tick = click.style("✓", fg="green")
    return "\n".join(f"  {tick} {fact}" for fact in facts)
