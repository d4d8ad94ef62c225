"""A report as people read it: one row for each group, bars for shares, columns for time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import click

from daemon.cli import units
from daemon.cli.table import Column, bar, figures, percent, render, spark, words

Json = dict[str, Any]
BAR, SPARK_MAX = 12, 48
NOTHING = Decimal(0)
FORMATS = {"hour": "{:%a} {:%-d %b %H:%M}", "day": "{:%a} {:%-d %b}", "week": "week of {:%-d %b}"}


class Line(NamedTuple):
    """What one row of the table says."""

    title: list[str]
    figures: Json
    before: Json | None
    series: list[float]


def spending(reply: Json, lines_max: int | None = None) -> str:
    """At most so many lines; what is more is counted."""
    head = click.style(f"  {title(reply)}", dim=True)
    found = [*of_groups(reply)] if reply["group_by"] else [*of_time(reply)]
    lines = found[:lines_max]
    more = reply["left_out"] + len(found) - len(lines)
    if not any(line.figures["calls"] or line.figures["denied"] for line in lines):
        return f"{head}\n\n  nothing was spent"
    text = [head, "", table(reply, lines)]
    if more:
        text.append(click.style(f"  … and {units.count(more, 'rows')} more", dim=True))
    if reply["overlapping"]:
        note = "  a call counts in every policy that matched it; the total has it once"
        text.append(click.style(note, dim=True))
    return "\n".join(text)


def title(reply: Json) -> str:
    zone = ZoneInfo(reply["zone"])
    parts = [f"{when(reply['since'], zone)} to {when(reply['until'], zone)}", reply["zone"]]
    if reply["total_before"] is not None:
        parts.append(f"beside {when(reply['before_since'], zone)} to "
                     f"{when(reply['before_until'], zone)}")  # fmt: skip
    return " · ".join(parts)


def when(stamp: str, zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(stamp).astimezone(zone)
    return f"{at:%-d %b %Y}" if (at.hour, at.minute) == (0, 0) else f"{at:%-d %b %Y %H:%M}"


def of_time(reply: Json) -> Iterable[Line]:
    """A row for each piece of time; one for all if it is not cut."""
    zone = ZoneInfo(reply["zone"])
    for item in reply["items"]:
        name = "all" if item["starts"] is None else piece(reply["every"], item["starts"], zone)
        yield Line([name], item["figures"], item["before"], [])


def piece(every: str, starts: str, zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(starts).astimezone(zone)
    if every == "month":
        return f"{at:%B %Y}"
    return FORMATS[every].format(at, at)


def of_groups(reply: Json) -> Iterable[Line]:
    """A row for each group; if time is cut, its pieces become one small chart."""
    found: dict[tuple[str, ...], list[Json]] = {}
    for item in reply["items"]:
        key = tuple("-" if value is None else value for value in item["group"].values())
        found.setdefault(key, []).append(item)
    lines = []
    for key, items in found.items():
        costs = {item["starts"]: float(item["figures"]["cost_usd"]) for item in items}
        series = [costs.get(at, 0.0) for at in reply["pieces"]][-SPARK_MAX:]
        lines.append(Line(list(key), summed(items), items[0]["before"], series))
    if reply["pieces"]:
        lines.sort(key=lambda line: -Decimal(line.figures["cost_usd"]))
    return lines


def summed(items: Sequence[Json]) -> Json:
    """The figures of several rows in one."""
    first, *rest = [item["figures"] for item in items]
    total = dict(first)
    for more in rest:
        for name, value in more.items():
            if name.endswith("_usd"):
                total[name] = f"{Decimal(total[name]) + Decimal(value):f}"
            else:
                total[name] += value
    return total


def table(reply: Json, lines: Sequence[Line]) -> str:
    named = [name.removeprefix("tag.") for name in reply["group_by"]] or [reply["every"] or ""]
    compared = reply["total_before"] is not None
    charted = any(line.series for line in lines)
    columns = [*words(*named), *figures("cost $")]
    columns += [*figures("before $", "change")] if compared and not reply["every"] else []
    columns += [Column(f"by {reply['every']}" if charted else "share", optional=True)]
    columns += [*figures("tokens"), Column("cached", figures=True, optional=True)]
    columns += [*figures("calls", "refused")]
    whole = Decimal(reply["total"]["cost_usd"])
    highest = max((Decimal(line.figures["cost_usd"]) for line in lines), default=NOTHING)
    rows = [cells(line, columns, highest) for line in lines]
    total = Line(["total", *[""] * (len(named) - 1)], reply["total"], reply["total_before"], [])
    last = cells(total, columns, NOTHING)
    return render(columns, rows, last if len(rows) > 1 or whole != highest else None)


def cells(line: Line, columns: Sequence[Column], highest: Decimal) -> list[str]:
    of, cost = line.figures, Decimal(line.figures["cost_usd"])
    row = [*line.title, units.usd(cost)]
    if any(column.title == "change" for column in columns):
        before = Decimal(line.before["cost_usd"]) if line.before else NOTHING
        row += [units.usd(before), change(before, cost)]
    if line.series:
        row.append(click.style(spark(line.series), fg="cyan"))
    else:
        row.append(bar(float(cost / highest), width=BAR, colour="cyan") if highest else "")
    entered = of["input_tokens"] + of["cache_read_tokens"] + of["cache_write_tokens"]
    cached = percent(of["cache_read_tokens"] / entered) if of["cache_read_tokens"] else ""
    refused = units.count(of["denied"])
    row += [units.count(of["tokens"]), cached, units.count(of["calls"])]
    row.append(click.style(refused, fg="red") if of["denied"] else refused)
    return row


def change(before: Decimal, now: Decimal) -> str:
    """How much more or less, as a share of what was before."""
    if before == now:
        return "="
    if not before:
        return click.style("new", fg="yellow")
    share = (now - before) / before
    return click.style(f"{share:+.0%}", fg="red" if share > 0 else "green")
