"""Periods and windows: half-open `[starts, ends)` in UTC, computed in somebody's zone.

A window is one instance of a period and part of its counter's key, so nothing is ever reset.
Times are whole milliseconds since the epoch. Consecutive windows of a calendar period meet
exactly: a day is 23 or 25 hours long when clocks change.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

Calendar = Literal["hourly", "daily", "weekly", "monthly"]
Scope = Literal["total", "per_session", "per_task"]

CALENDAR = get_args(Calendar)
SCOPES = get_args(Scope)

HOUR_MS = 3_600_000
QUARTER_MS = HOUR_MS // 4
DAY_MS = 24 * HOUR_MS
BUCKETS = 60
"""A rolling window is counted in sixtieths; the oldest, partly outside, still counts in full."""
ROLLING_MS_MAX = 400 * DAY_MS
FOREVER_MS = 253_402_300_799_000
"""The last second of the year 9999: where a `total` window ends."""
SCOPE_MS = 90 * DAY_MS
"""A session's or task's counter lives 90 days from its first call."""

_ROLLING = re.compile(r"rolling:([1-9][0-9]{0,4})(m|h|d)", re.ASCII)
_UNIT_MS = {"m": 60_000, "h": HOUR_MS, "d": DAY_MS}


class Window(NamedTuple):
    """Milliseconds since the epoch, UTC, half-open."""

    starts_ms: int
    ends_ms: int


def rolling_ms(period: str) -> int | None:
    """The length of a rolling period in milliseconds; None for any other period."""
    match = _ROLLING.fullmatch(period)
    return int(match[1]) * _UNIT_MS[match[2]] if match else None


def _check_period(text: str) -> str:
    if text in CALENDAR or text in SCOPES:
        return text
    length = rolling_ms(text)
    if length is None or length > ROLLING_MS_MAX:
        known = ", ".join((*CALENDAR, *SCOPES))
        raise ValueError(f"must be one of {known}, or rolling:<duration> from 1m to 400d")
    return text


def _check_zone(name: str) -> str:
    try:
        zone(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"{name!r} is not a zone of the IANA database; write for example Europe/Berlin"
        ) from None
    return name


Period = Annotated[str, AfterValidator(_check_period), Field(examples=["daily", "rolling:5h"])]
Zone = Annotated[str, AfterValidator(_check_zone), Field(examples=["UTC", "Europe/Berlin"])]


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def window_at(period: str, zone_name: str, at_ms: int) -> Window:
    """The window of `period` that contains the instant; for a rolling period, its bucket."""
    length = rolling_ms(period)
    if length is not None:
        return bucket_at(length, at_ms)
    match period:
        case "hourly" | "daily" | "weekly" | "monthly":
            return _calendar(period, zone(zone_name), at_ms)
        case "total":
            return Window(0, FOREVER_MS)
        case _:
            return Window(at_ms, at_ms + SCOPE_MS)


def bucket_at(length_ms: int, at_ms: int) -> Window:
    """The sixtieth of a rolling window that contains the instant. It ends when it has left it."""
    width = max(1, length_ms // BUCKETS)
    starts = at_ms - at_ms % width
    return Window(starts, starts + width + length_ms)


def _calendar(period: Calendar, tz: ZoneInfo, at_ms: int) -> Window:
    if period == "hourly":
        return _hour(tz, at_ms)
    day = datetime.fromtimestamp(at_ms // 1000, tz).date()
    window = _dated(period, tz, day)
    if at_ms >= window.ends_ms:  # clocks went back over midnight: the new day had begun before
        window = _dated(period, tz, day + timedelta(days=1))
    return window


def _dated(period: Calendar, tz: ZoneInfo, day: date) -> Window:
    """The day, week or month that this date is in."""
    if period == "weekly":
        first = day - timedelta(days=day.weekday())
        return Window(_midnight(first, tz), _midnight(first + timedelta(days=7), tz))
    if period == "monthly":
        first = day.replace(day=1)
        following = (first + timedelta(days=32)).replace(day=1)
        return Window(_midnight(first, tz), _midnight(following, tz))
    return Window(_midnight(day, tz), _midnight(day + timedelta(days=1), tz))


def _midnight(day: date, tz: ZoneInfo) -> int:
    """The first instant of a day. Where midnight does not exist, the first that does."""
    return int(datetime(day.year, day.month, day.day, tzinfo=tz).timestamp()) * 1000


def _hour(tz: ZoneInfo, at_ms: int) -> Window:
    """A clock hour of the zone. Its offset is of whole minutes, so hours tile between changes."""
    local = datetime.fromtimestamp(at_ms // 1000, tz)
    into_ms = (local.minute * 60 + local.second) * 1000 + at_ms % 1000
    starts = at_ms - into_ms
    before = datetime.fromtimestamp(starts // 1000, tz).utcoffset()
    if before != local.utcoffset():
        return _hour_of_change(tz, at_ms)
    ends = starts + HOUR_MS
    if datetime.fromtimestamp(ends // 1000, tz).utcoffset() != local.utcoffset():
        return _hour_of_change(tz, at_ms)
    return Window(starts, ends)


def _hour_of_change(tz: ZoneInfo, at_ms: int) -> Window:
    """Next to a clock change the hour is cut where the offset changes (Lord Howe: 30 minutes)."""
    minute = 60_000
    here = at_ms - at_ms % minute
    starts = here
    while not _hour_begins(tz, starts):
        starts -= minute
    ends = here + minute
    while not _hour_begins(tz, ends):
        ends += minute
    return Window(starts, ends)


def _hour_begins(tz: ZoneInfo, at_ms: int) -> bool:
    local = datetime.fromtimestamp(at_ms // 1000, tz)
    if local.minute == 0 and local.second == 0:
        return True
    before = datetime.fromtimestamp(at_ms // 1000 - 1, tz)
    return before.utcoffset() != local.utcoffset()


def rfc3339(at_ms: int) -> str:
    """UTC with milliseconds and Z."""
    return f"{_to_the_second(at_ms // 1000)}.{at_ms % 1000:03d}Z"


@lru_cache(maxsize=1024)
def _to_the_second(at_s: int) -> str:
    """Calls of one second end in the same few seconds: most texts were made before."""
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%S}"
