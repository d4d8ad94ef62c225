"""A report the slow way: every entry looked at, every sum by hand. Nothing of ours but the words.

Nobody sums like this in the daemon, which is why it may be wrong where we are right and the other
way round, and the two must agree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from fractions import Fraction
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from protocols.journal import EntryShown

AXES = ("usd", "tokens", "calls")
BOOKS = ("settled", "overrun", "late", "drawn", "recorded")
WRITES = ("cache_write_5m", "cache_write_1h", "cache_write_12h")
NAMES = (
    "usd", "tokens", "input", "cache_read", "cache_write", "output", "reasoning", "calls",
    "denied", "overruns", "late", "estimated", "saved",
)  # fmt: skip

Sums = dict[str, Any]


@dataclass
class Part:
    """Some of what an entry says, and the policies that it counts in."""

    at: datetime
    facts: dict[str, str]
    tags: dict[str, str]
    policies: set[str]
    sums: Sums = field(default_factory=dict)


def parts(entries: list[EntryShown]) -> list[Part]:
    """What all entries add up to, corrections in the time of what they correct."""
    policies = {e.body["window"]: e.body["policy"] for e in entries if e.kind == "window_opened"}
    rates = {e.subject: e.body["rates"] for e in entries if e.kind == "priced"}
    by_seq = {entry.seq: entry for entry in entries}
    found = []
    for entry in entries:
        body = entry.body
        if entry.kind == "denied":
            by_policy = body["policy"] and not body["policy"].startswith("allocation:")
            names = {body["policy"]} if by_policy else set()
            found.append(part(entry, names, {"denied": 1}))
        elif entry.kind == "corrected":
            booking = by_seq[body["of"]]
            names = {policies[window] for window in body["windows"]}
            less = 0 if body["estimated"] else -1
            made = part(booking, names, {"usd": body["usd"], "estimated": less})
            made.facts["price_version"] = body["price_version"]
            found.append(made)
        elif entry.kind in BOOKS:
            found += booked(entry, policies, rates.get(body["price_version"], {}))
    return found


def part(entry: EntryShown, policies: set[str], sums: Sums) -> Part:
    body = entry.body
    facts = {name: body[name] for name in ("provider", "model", "tier", "task_type")}
    facts |= {"component": entry.component, "price_version": body.get("price_version") or ""}
    return Part(datetime.fromisoformat(entry.at), facts, body.get("tags", {}), policies, sums)


def booked(entry: EntryShown, policies: Mapping[int, str], rates: Mapping[str, str]) -> list[Part]:
    """The call's own policies, and the allocation's for the axes that this covers."""
    body, usage = entry.body, entry.body["usage"]
    read = usage.get("cache_read", 0)
    saved = Fraction(0)
    if "cache_read" in rates and not body["price_version"].startswith("envelope/"):
        saved = read * (Fraction(rates["input"]) - Fraction(rates["cache_read"])) / 10**6
    of_tokens = {
        "tokens": body["tokens"], "input": usage.get("input", 0), "cache_read": read,
        "cache_write": sum(usage.get(name, 0) for name in WRITES),
        "output": usage.get("output", 0), "reasoning": usage.get("reasoning", 0), "saved": saved,
    }  # fmt: skip
    by_axis: list[Sums] = [{"usd": body["usd"]}, of_tokens, {"calls": body["calls"]}]
    marks = {
        "overruns": int(entry.kind == "overrun" or body.get("overrun", False)),
        "late": int(entry.kind == "late"),
        "estimated": int(body["estimated"]),
    }
    covered = body.get("covered", [False] * 3)
    own, lent = dict(marks), {}
    for sums, inside in zip(by_axis, covered, strict=True):
        (lent if inside else own).update(sums)
    found = [part(entry, {policies[window] for window in body["windows"]}, own)]
    if lent:
        found.append(part(entry, {policies[window] for window in body["parent_windows"]}, lent))
    return found


def start_of(every: str | None, zone: str, at: datetime) -> datetime | None:
    """Where the hour, day, week or month around the instant begins."""
    local = at.astimezone(ZoneInfo(zone))
    if every is None:
        return None
    if every == "hour":  # no zone of the test changes its clock by less than an hour
        into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return (at - into).astimezone(UTC)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if every == "week":
        day -= timedelta(days=day.weekday())
    elif every == "month":
        day = day.replace(day=1)
    return day.astimezone(UTC)


def groups(one: Part, ask: Mapping[str, Any], budgets: Mapping[str, str]) -> set[tuple[Any, ...]]:
    """The groups it falls into; none if the filters leave it out."""
    for name in ("component", "provider", "model", "tier", "task_type"):
        if name in ask and not fnmatchcase(one.facts[name], ask[name]):
            return set()
    for name, glob in ask.get("tags", {}).items():
        if not fnmatchcase(one.tags.get(name, ""), glob) or name not in one.tags:
            return set()
    seats = [(policy, budgets[policy]) for policy in one.policies] or [(None, None)]
    wanted = (ask.get("policy"), ask.get("budget"))
    seats = [
        seat for seat in seats if all(w in (None, s) for w, s in zip(wanted, seat, strict=True))
    ]
    return {tuple(value(one, dimension, seat) for dimension in ask["group_by"]) for seat in seats}


def value(one: Part, dimension: str, seat: tuple[str | None, str | None]) -> str | None:
    if dimension.startswith("tag."):
        return one.tags.get(dimension.removeprefix("tag."))
    if dimension in ("policy", "budget"):
        return seat[("policy", "budget").index(dimension)]
    return one.facts[dimension] or None


def report(
    found: Iterable[Part], ask: Mapping[str, Any], budgets: Mapping[str, str],
    since: datetime, until: datetime,
) -> tuple[dict[tuple[Any, ...], Sums], Sums]:  # fmt: skip
    """Sums by piece of time and group, and the total of all that is in any."""
    rows: dict[tuple[Any, ...], Sums] = {}
    total: Sums = {}
    for one in found:
        fallen = groups(one, ask, budgets)
        if not fallen or not since <= one.at < until:
            continue
        starts = start_of(ask.get("every"), ask["zone"], one.at)
        piece = None if starts is None else max(starts, since)
        for group, (name, amount) in product(fallen, one.sums.items()):
            row = rows.setdefault((piece, *group), {})
            row[name] = row.get(name, 0) + amount
        for name, amount in one.sums.items():
            total[name] = total.get(name, 0) + amount
    return rows, total
