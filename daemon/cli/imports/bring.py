"""How an import is shown, carried out and compared with its source."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import click

from daemon.cli import units
from daemon.cli.answer import Stop
from daemon.cli.policy import applies
from daemon.cli.progress import Line, gauge
from daemon.cli.table import figures, render, words
from daemon.cli.verb import Console
from daemon.imports.plan import Plan

Json = dict[str, Any]
AT_ONCE = 500
SHOWN_MAX = 20
OPTIONS = (
    click.option("--zone", help="Whose clock its times are of; default: this machine's."),
    click.option("--apply", "applied", is_flag=True, help="Do it; without, only look."),
    click.option(
        "--without-refused", is_flag=True, help="Bring in the rest where something is refused."
    ),
)


@dataclass(slots=True)
class Done:
    """What came of it."""

    booked: int = 0
    known: int = 0
    cost_usd: Decimal = Decimal(0)
    tokens: int = 0
    policies_set: int = 0
    policies_known: int = 0


def bring(console: Console, plan: Plan, *, applied: bool, without_refused: bool) -> int:
    """Show the plan, or carry it out; the exit code."""
    if not applied:
        console.answer(told(plan, None), lambda: looked_at(plan))
        return 0
    if plan.refused and not without_refused:
        raise Stop(
            f"nothing is brought in: {units.count(len(plan.refused), 'rows')} cannot be",
            "mend the source, or leave them out with --without-refused", refusals(plan),
        )  # fmt: skip
    done = Done()
    with Line() as line:
        for rows in pieces(plan.rows):
            line.draw(drawn("importing", done.booked + done.known, len(plan.rows)))
            add(done, console.ask("import_usage", import_id=plan.import_id, rows=rows))
    set_policies(console, plan, done)
    console.answer(told(plan, done), lambda: finished(plan, done))
    return 0 if agrees(plan, done) else 1


def pieces(rows: list[Json]) -> Iterator[list[Json]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]


def drawn(doing: str, done: int, total: int) -> str:
    return f"{doing} {gauge(done / total if total else 1.0)} {done:,} of {total:,} rows"


def add(done: Done, reply: Json) -> None:
    done.booked += reply["booked"]
    done.known += reply["known"]
    done.cost_usd += Decimal(reply["cost_usd"])
    done.tokens += reply["tokens"]


def set_policies(console: Console, plan: Plan, done: Done) -> None:
    """Those that are not there as they are; each says which import made it."""
    if not plan.policies:
        return
    shown = console.pages("list_policies", budget=plan.kind)["items"]
    there = {one["policy"]["name"]: one["policy"] for one in shown}
    for made in plan.policies:
        if made.is_there(there.get(made.name)):
            done.policies_known += 1
        else:
            console.ask("set_policy", name=made.name, **made.fields() | {"why": why(plan)})
            done.policies_set += 1


def why(plan: Plan) -> str:
    return f"import {plan.import_id}"


def agrees(plan: Plan, done: Done) -> bool:
    rows = done.booked + done.known
    return (rows, done.cost_usd, done.tokens) == (len(plan.rows), plan.usd, plan.tokens)


def told(plan: Plan, done: Done | None) -> Json:
    return {
        "import_id": plan.import_id, "source": str(plan.source), "zone": plan.zone,
        "rows": len(plan.rows), "cost_usd": format(plan.usd, "f"), "tokens": plan.tokens,
        "twice": plan.twice, "policies": [made.name for made in plan.policies],
        "refused": [asdict(one) for one in plan.refused], "notes": plan.notes,
        "applied": None if done is None else {
            **asdict(done), "cost_usd": format(done.cost_usd, "f"), "agrees": agrees(plan, done),
        },
    }  # fmt: skip


def looked_at(plan: Plan) -> str:
    """What there is, by model, and what would be made of it."""
    lines = [f"{plan.source}, times in {plan.zone}", "", usage_table(plan)]
    if plan.policies:
        lines += ["", policy_table(plan)]
    if plan.twice:
        lines += ["", f"  {units.count(plan.twice, 'rows')} say the same as another: taken once"]
    if plan.notes:
        lines += ["", *shortened([f"  {note}" for note in plan.notes])]
    if plan.refused:
        counted = f"{units.count(len(plan.refused), 'rows')} cannot come in:"
        lines += ["", click.style(f"  {counted}", fg="yellow"), *shortened(refusals(plan, "    "))]
    return "\n".join([*lines, "", "Nothing is brought in yet: add --apply."])


def usage_table(plan: Plan) -> str:
    by_model: dict[tuple[str, str], list[Json]] = {}
    for row in plan.rows:
        by_model.setdefault((row["provider"], row["model"]), []).append(row)
    if not by_model:
        return "  no usage"
    columns = [*words("provider", "model"), *figures("rows", "tokens", "cost")]
    rows = [[*names, *summed(found)] for names, found in sorted(by_model.items())]
    return render(columns, rows, ["total", "", *summed(plan.rows)])


def summed(rows: Sequence[Json]) -> list[str]:
    tokens = sum(row["input_tokens"] + row["output_tokens"] for row in rows)
    cost = sum((Decimal(row["usd"]) for row in rows), Decimal(0))
    return [units.count(len(rows)), units.count(tokens), units.usd(cost)]


def policy_table(plan: Plan) -> str:
    rows = []
    for made in plan.policies:
        limit = " ".join(units.amount(axis, str(most)) for axis, most in made.limit.items())
        rule: Any = made.rule
        rows.append([made.name, applies(rule), limit, made.period, str(rule["enforce"])])
    return render(words("policy", "applies to", "limit", "per", "enforce"), rows)


def refusals(plan: Plan, margin: str = "") -> list[str]:
    return [f"{margin}{one.place}: {one.field} {one.problem}" for one in plan.refused]


def shortened(lines: list[str]) -> list[str]:
    more = len(lines) - SHOWN_MAX
    return lines if more <= 0 else [*lines[:SHOWN_MAX], f"    … and {more:,} more (--json has all)"]


def finished(plan: Plan, done: Done) -> str:
    same = agrees(plan, done)
    mark = click.style("✓", fg="green") if same else click.style("✗", fg="red")
    cost, tokens = units.exact_usd(done.cost_usd), units.count(done.tokens, "tokens")
    lines = [f"{mark} {units.count(done.booked, 'rows')} booked"]
    if done.known:
        lines[0] += f", {done.known:,} were there already"
    ours = f"{units.exact_usd(plan.usd)} and {units.count(plan.tokens, 'tokens')}"
    lines.append(f"  {cost} and {tokens}, {'as in the source' if same else f'not {ours}'}")
    if plan.policies:
        made, as_it_was = done.policies_set, done.policies_known
        lines.append(f"  {units.count(made, 'policies')} set, {as_it_was} as before")
    if plan.refused:
        lines.append(f"  {units.count(len(plan.refused), 'rows')} left out")
    return "\n".join([*lines, f"  undo it with: budget import undo {plan.import_id}"])
