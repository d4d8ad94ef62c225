"""The time of a report: its span, the pieces it is cut into, and the roll-ups that tile them."""

from typing import NamedTuple

from actors.journal.facet import WIDTHS_MS
from protocols.errors import Invalid
from protocols.period import DAY_MS, HOUR_MS, QUARTER_MS, Window, window_at
from protocols.reports import DAYS_MAX, Every, ShowReport, instant_ms

CALENDAR = {"day": "daily", "week": "weekly", "month": "monthly", "hour": "hourly"}
NAMED = {"today": "daily", "yesterday": "daily"}
LENGTHS_MS = {
    "last_24_hours": 24 * HOUR_MS, "last_7_days": 7 * DAY_MS, "last_30_days": 30 * DAY_MS,
}  # fmt: skip


class Run(NamedTuple):
    """Roll-ups of one width, one after the other, and the number of the piece they are part of."""

    width_ms: int
    starts_ms: int
    ends_ms: int
    piece: int


def spans(ask: ShowReport, now_ms: int) -> tuple[Window, Window]:
    """The span of the report, and the one before it that it is compared with."""
    now_ms = next_quarter(now_ms)
    if ask.since is not None:
        since = instant_ms(ask.since, ask.zone)
        until = now_ms if ask.until is None else instant_ms(ask.until, ask.zone)
        if not 0 < until - since <= DAYS_MAX * DAY_MS:
            raise wrong_since()
        return Window(since, until), Window(2 * since - until, since)
    name = ask.span or "this_month"
    if name in LENGTHS_MS:
        length = LENGTHS_MS[name]
        return Window(now_ms - length, now_ms), Window(now_ms - 2 * length, now_ms - length)
    period = NAMED.get(name) or CALENDAR[name.partition("_")[2]]
    current = window_at(period, ask.zone, now_ms - 1)
    before = window_at(period, ask.zone, current.starts_ms - 1)
    if name in ("yesterday", "last_week", "last_month"):
        return before, window_at(period, ask.zone, before.starts_ms - 1)
    passed = now_ms - current.starts_ms
    return (
        Window(current.starts_ms, now_ms),
        Window(before.starts_ms, min(before.starts_ms + passed, before.ends_ms)),
    )


def next_quarter(at_ms: int) -> int:
    """So that what happens now is in it."""
    return at_ms - at_ms % QUARTER_MS + QUARTER_MS


def wrong_since() -> Invalid:
    problem = f"it must be before until, by at most {DAYS_MAX} days"
    fault = {"field": "since", "problem": problem, "remedy": "write an earlier or a later day"}
    return Invalid(f"since: {problem}", errors=[fault])


def pieces(span: Window, every: Every | None, zone: str) -> list[Window]:
    """Cut the span at the hours, days, weeks or months of the zone."""
    if every is None:
        return [span]
    found = []
    at = span.starts_ms
    while at < span.ends_ms:
        ends = min(window_at(CALENDAR[every], zone, at).ends_ms, span.ends_ms)
        found.append(Window(at, ends))
        at = ends
    return found


def runs(windows: list[Window]) -> list[Run]:
    """The widest roll-ups that fill each piece exactly."""
    found: list[Run] = []
    for piece, (starts, ends) in enumerate(windows):
        at = starts
        while at < ends:
            width = next(w for w in reversed(WIDTHS_MS) if at % w == 0 and at + w <= ends)
            wider = [w for w in WIDTHS_MS if w > width]
            until = min([at - at % w + w for w in wider] + [ends - (ends - at) % width])
            found.append(Run(width, at, until, piece))
            at = until
    return found
