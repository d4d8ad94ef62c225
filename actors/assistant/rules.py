"""Answers without a model: fixed questions to the same operations, and plain rules over them."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from actors.assistant.reading import Reading
from protocols.errors import BudgetError

Json = dict[str, Any]
Finding = Callable[[Reading, str], Awaitable[list[str]]]

TOP = 5
CALLS_MIN = 20
"""Of fewer calls nothing is said: they may be chance."""
INPUT_MIN = 1024
"""Tokens a call below which providers cache nothing."""
SMALL_OUTPUT = 150
"""Tokens a call: an answer of a sentence or two."""
HARDLY_USED, PASSED = 0.05, 0.5
BY_RULES = "By rules, without a language model."
WORKLOAD = re.compile(
    r"(?P<input_tokens>\d{1,12}) tokens in and (?P<output_tokens>\d{1,12}) out a call, "
    r"(?P<calls_per_day>[1-9]\d{0,8}) calls a day"
    r"(?:, at most (?P<max_usd_per_month>\d{1,12}(?:\.\d{1,9})?) USD a month)?"
)
SPANS = (
    (r"\btoday|\bdaily|\bday\b", "today"),
    (r"\byesterday", "yesterday"),
    (r"\blast week", "last_week"),
    (r"\bweek", "this_week"),
    (r"\blast month", "last_month"),
    (r"\b30 days", "last_30_days"),
    (r"\b7 days", "last_7_days"),
)


def span_of(question: str) -> str:
    """The time a question names; this month if it names none."""
    words = question.lower()
    return next((span for pattern, span in SPANS if re.search(pattern, words)), "this_month")


async def answer(looks: Reading, question: str) -> str:
    """Everything the rules find in the time the question names, each line with its query."""
    span = span_of(question)
    described = WORKLOAD.search(question)
    if described is not None:
        return "\n".join([BY_RULES, *await models(looks, described)])
    lines: list[str] = []
    for finding in (spending, caching, oversized, refused, paces, allocations):
        try:
            lines += await finding(looks, span)
        except BudgetError as refusal:
            lines.append(f"- could not look: {refusal.detail} [{len(looks.queries)}]")
    head = f"{BY_RULES} Time: {span.replace('_', ' ')}."
    head += "".join(f" Component: {name}." for name in looks.scope.values())
    return "\n".join([head, *lines])


async def models(looks: Reading, described: re.Match[str]) -> list[str]:
    """Models for a work that is described in figures."""
    told = {name: text for name, text in described.groupdict().items() if text is not None}
    counts = {name: int(text) for name, text in told.items() if name != "max_usd_per_month"}
    most = {"max_usd_per_month": told["max_usd_per_month"]} if len(told) > len(counts) else {}
    try:
        found = await looks.look("recommend_models", {"component": looks.whose, **counts, **most})
    except BudgetError as refusal:
        return [f"- could not look: {refusal.detail} [{len(looks.queries)}]"]
    number = len(looks.queries)
    lines = [
        f"- {row['provider']} / {row['model']}: {usd(row['usd_per_month'])} a month [{number}]"
        for row in found["items"]
    ]
    return lines or [f"- no model fits: {found['dearer']} are dearer than that [{number}]"]


async def spending(looks: Reading, span: str) -> list[str]:
    """Top spend, and how it compares with the time before."""
    report = await _report(looks, span, ["component", "model"], compare=True)
    number = len(looks.queries)
    total, before = report["total"], report["total_before"]
    spent = f"- Spent: {usd(total['cost_usd'])} in {total['calls']} calls; "
    spent += f"{usd(before['cost_usd'])} in the time before [{number}]"
    return [spent] + [
        f"- {name(row)} cost {usd(row['figures']['cost_usd'])} in {row['figures']['calls']} calls "
        f"[{number}]"
        for row in report["items"][:TOP]
        if row["figures"]["calls"]
    ]


async def caching(looks: Reading, span: str) -> list[str]:
    """Long inputs that never come from a cache."""
    report = await _report(looks, span, ["component", "model"])
    return [
        f"- {name(row)} reads {_input(row) // row['figures']['calls']} tokens a call and nothing "
        f"from a cache: order prompts so that their beginning repeats [{len(looks.queries)}]"
        for row in report["items"]
        if row["figures"]["calls"] >= CALLS_MIN
        and row["figures"]["cache_read_tokens"] == 0
        and _input(row) >= INPUT_MIN * row["figures"]["calls"]
    ]


async def oversized(looks: Reading, span: str) -> list[str]:
    """Heavy models that are asked for a sentence."""
    report = await _report(looks, span, ["component", "task_type", "model"], tier="remote_heavy*")
    return [
        f"- {name(row)} writes {row['figures']['output_tokens'] // row['figures']['calls']} tokens "
        f"a call for {usd(row['figures']['cost_usd'])}: try a smaller model [{len(looks.queries)}]"
        for row in report["items"]
        if row["figures"]["calls"] >= CALLS_MIN
        and row["figures"]["output_tokens"] <= SMALL_OUTPUT * row["figures"]["calls"]
    ]


async def refused(looks: Reading, span: str) -> list[str]:
    """Limits that were hit."""
    report = await _report(looks, span, ["policy"], order="denied")
    return [
        f"- {name(row)} refused {row['figures']['denied']} calls [{len(looks.queries)}]"
        for row in report["items"]
        if row["figures"]["denied"]
    ]


async def paces(looks: Reading, _: str) -> list[str]:
    """Limits that will not last, and limits that are hardly touched."""
    found = await looks.look("list_paces", {**looks.scope})
    number, lines = len(looks.queries), []
    for pace in found["items"]:
        used, passed = pace["used_share"], pace["passed_share"]
        who = f"{pace['policy']}{'' if pace['key'] is None else ' / ' + pace['key']}"
        if pace["runs_out_at"]:
            lines.append(f"- {who} runs out at {pace['runs_out_at']} at this pace [{number}]")
        elif used is not None and passed is not None and used < HARDLY_USED and passed > PASSED:
            lines.append(
                f"- {who} is hardly used: {pace['used']} of {pace['limit']} {pace['axis']} with "
                f"more than half of its time gone [{number}]"
            )
    return lines


async def allocations(looks: Reading, _: str) -> list[str]:
    """Allocations that hold and are not drawn from."""
    found = await looks.look("list_allocations", {"status": "held", **looks.scope})
    return [
        f"- the allocation {hold['id']} of {hold['component']} holds {hold['held']['tokens']} "
        f"tokens and was never used [{len(looks.queries)}]"
        for hold in found["items"]
        if hold["spent"]["calls"] == 0
    ]


async def _report(looks: Reading, span: str, group_by: list[str], **more: Any) -> Json:
    asked = {"span": span, "group_by": group_by, **looks.scope, **more}
    return await looks.look("show_report", asked)


def name(row: Json) -> str:
    return " / ".join(value or "(none)" for value in row["group"].values())


def usd(text: str) -> str:
    """Every digit there is: the same figure as in the query."""
    return f"{text.rstrip('0').rstrip('.')} USD"


def _input(row: Json) -> int:
    figures = row["figures"]
    return int(figures["input_tokens"]) + int(figures["cache_write_tokens"])
