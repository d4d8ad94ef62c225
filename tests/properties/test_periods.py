"""Windows: they tile time, they contain their instant, and a day is as long as it is.

I24 of the promises, over seventy years and every kind of zone there is.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocols.period import BUCKETS, CALENDAR, FOREVER_MS, Window, rolling_ms, window_at

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

ZONES = (
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Europe/Amsterdam",
    "Asia/Kolkata",  # half an hour off
    "Asia/Kathmandu",  # three quarters
    "Australia/Lord_Howe",  # clocks change by half an hour
    "America/Santiago",  # midnight does not exist once a year
    "America/Havana",  # midnight comes twice
    "Asia/Beirut",
    "Africa/Cairo",
    "Africa/Casablanca",  # winter time in Ramadan
    "America/Nuuk",
    "Pacific/Kiritimati",  # 14 hours ahead; had no 31 December 1994
    "Pacific/Apia",  # had no 30 December 2011
    "Antarctica/Troll",  # clocks change by two hours
)


def ms(text: str, zone: str = "UTC") -> int:
    """When a clock in the zone shows this; the first time, if twice."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000


def local(at_ms: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, ZoneInfo(zone))


zones = st.sampled_from(ZONES)
calendars = st.sampled_from(CALENDAR)
instants = st.integers(ms("1990-01-01"), ms("2061-01-01") - 1)


@st.composite
def changes_of_clocks(draw: st.DrawFn) -> tuple[str, int]:
    """A zone, and an instant within hours of a change of its clocks."""
    zone = draw(zones.filter(lambda name: name not in ("UTC", "Asia/Kolkata", "Asia/Kathmandu")))
    month = draw(st.integers(1990 * 12, 2060 * 12))
    starts = ms(f"{month // 12}-{month % 12 + 1:02d}-01")
    days = [starts + n * DAY for n in range(367)]
    offsets = [local(day, zone).utcoffset() for day in days]
    changed = (n for n, (one, other) in enumerate(pairwise(offsets)) if one != other)
    day = days[next(changed, 0)]
    return zone, day + draw(st.integers(-2 * HOUR, DAY + 2 * HOUR))


def check_tiles(period: str, zone: str, at_ms: int) -> Window:
    """The window contains the instant; at its two ends, it meets its neighbours exactly."""
    window = window_at(period, zone, at_ms)
    starts, ends = window
    assert starts <= at_ms < ends
    assert window_at(period, zone, starts) == window
    assert window_at(period, zone, ends - 1) == window
    assert window_at(period, zone, ends).starts_ms == ends
    assert window_at(period, zone, starts - 1).ends_ms == starts
    return window


@settings(max_examples=500, deadline=None)
@given(calendars, zones, instants)
@example("daily", "America/New_York", ms("2026-03-08T12:00"))
@example("daily", "America/Santiago", ms("2026-09-06T12:00"))
@example("daily", "Pacific/Apia", ms("2011-12-30T09:59:59"))
@example("weekly", "UTC", ms("2027-01-03T23:59:59"))
@example("monthly", "UTC", ms("2028-02-29T12:00"))
def test_calendar_windows_tile_time(period: str, zone: str, at_ms: int) -> None:
    check_tiles(period, zone, at_ms)


@settings(max_examples=500, deadline=None)
@given(calendars, changes_of_clocks())
def test_calendar_windows_tile_time_where_clocks_change(
    period: str, change: tuple[str, int]
) -> None:
    check_tiles(period, *change)


@pytest.mark.parametrize(
    ("zone", "at"),
    [
        ("America/St_Johns", "2010-11-07T03:00"),  # 00:01 became 23:01 of the day before
        ("Antarctica/Casey", "2010-03-04T15:30"),  # 02:00 became 23:00 of the day before
    ],
)
def test_a_day_that_had_begun_goes_on_when_clocks_go_back_over_midnight(zone: str, at: str) -> None:
    check_tiles("daily", zone, ms(at))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["daily", "weekly", "monthly"]), zones, instants)
def test_days_weeks_and_months_start_when_the_zones_date_changes(
    period: str, zone: str, at_ms: int
) -> None:
    starts = window_at(period, zone, at_ms).starts_ms
    first, before = local(starts, zone), local(starts - SECOND, zone)
    assert first.date() > before.date()
    if period == "weekly":
        assert first.isocalendar()[:2] != before.isocalendar()[:2]
    if period == "monthly":
        assert first.month != before.month


@settings(max_examples=300, deadline=None)
@given(zones, instants)
def test_weeks_start_on_monday(zone: str, at_ms: int) -> None:
    starts, ends = window_at("weekly", zone, at_ms)
    assert local(starts, zone).weekday() == 0
    assert abs(ends - starts - 7 * DAY) <= DAY


@settings(max_examples=300, deadline=None)
@given(zones, instants)
def test_hours_are_clock_hours_and_never_longer(zone: str, at_ms: int) -> None:
    starts, ends = window_at("hourly", zone, at_ms)
    assert ends - starts <= HOUR
    first, last = local(starts, zone), local(ends - SECOND, zone)
    assert (first.date(), first.hour) == (last.date(), last.hour)
    if ends - starts == HOUR:
        assert (first.minute, first.second) == (0, 0)


@pytest.mark.parametrize(
    ("zone", "day", "starts", "hours"),
    [
        ("America/New_York", "2026-03-08", "2026-03-08T05:00", 23),
        ("America/New_York", "2026-11-01", "2026-11-01T04:00", 25),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00", 25),
        ("Europe/Amsterdam", "2026-07-01", "2026-06-30T22:00", 24),
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00", 23),
        ("America/Santiago", "2026-04-04", "2026-04-04T03:00", 25),
        ("Asia/Kolkata", "2026-01-01", "2025-12-31T18:30", 24),
        ("Pacific/Kiritimati", "2026-01-01", "2025-12-31T10:00", 24),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30", 23.5),
        ("Antarctica/Troll", "2026-03-29", "2026-03-29T00:00", 22),
        ("UTC", "2028-02-29", "2028-02-29T00:00", 24),
    ],
)
def test_a_day_is_as_long_as_the_zone_says(zone: str, day: str, starts: str, hours: float) -> None:
    window = window_at("daily", zone, ms(f"{day}T12:00", zone))
    assert window.starts_ms == ms(starts)
    assert window.ends_ms - window.starts_ms == hours * HOUR


@pytest.mark.parametrize(
    ("day", "starts", "ends"),
    [
        ("2027-01-01", "2026-12-28", "2027-01-04"),  # 2026-W53
        ("2027-01-04", "2027-01-04", "2027-01-11"),  # 2027-W01
        ("2024-12-31", "2024-12-30", "2025-01-06"),  # 2025-W01 begins in 2024
        ("2028-02-29", "2028-02-28", "2028-03-06"),
    ],
)
def test_a_week_is_the_iso_week(day: str, starts: str, ends: str) -> None:
    assert window_at("weekly", "UTC", ms(day)) == (ms(starts), ms(ends))


@pytest.mark.parametrize(
    ("day", "starts", "ends"),
    [
        ("2028-02-29", "2028-02-01", "2028-03-01"),
        ("2026-02-28", "2026-02-01", "2026-03-01"),
        ("2026-01-31", "2026-01-01", "2026-02-01"),
        ("2026-12-31", "2026-12-01", "2027-01-01"),
    ],
)
def test_a_month_ends_where_the_next_begins(day: str, starts: str, ends: str) -> None:
    assert window_at("monthly", "UTC", ms(day)) == (ms(starts), ms(ends))


@given(zones, st.integers(0, FOREVER_MS - 1))
def test_a_total_has_one_window(zone: str, at_ms: int) -> None:
    assert window_at("total", zone, at_ms) == (0, FOREVER_MS)


@given(st.sampled_from(["per_session", "per_task"]), zones, instants)
def test_a_session_begins_with_its_first_call(period: str, zone: str, at_ms: int) -> None:
    starts, ends = window_at(period, zone, at_ms)
    assert starts == at_ms
    assert timedelta(milliseconds=ends - starts) == timedelta(days=90)


rolling = st.one_of(
    st.integers(1, 999).map("rolling:{}m".format),
    st.integers(1, 999).map("rolling:{}h".format),
    st.integers(1, 400).map("rolling:{}d".format),
)


@given(rolling, zones, instants)
def test_buckets_of_a_rolling_window_tile_time(period: str, zone: str, at_ms: int) -> None:
    length = rolling_ms(period)
    assert length is not None
    width = length // BUCKETS
    starts, ends = window_at(period, zone, at_ms)
    assert starts <= at_ms < starts + width
    assert window_at(period, zone, starts + width).starts_ms == starts + width
    assert window_at(period, zone, starts - 1).starts_ms == starts - width
    assert ends == starts + width + length


@given(rolling, instants, st.integers(0, 400 * DAY))
def test_a_bucket_counts_until_all_of_it_has_left_the_rolling_window(
    period: str, at_ms: int, later_ms: int
) -> None:
    """Never less than the window promises, and at most a sixtieth more."""
    length = rolling_ms(period)
    assert length is not None
    counts = at_ms + later_ms < window_at(period, "UTC", at_ms).ends_ms
    if later_ms <= length:
        assert counts
    if later_ms >= length + length // BUCKETS:
        assert not counts


@given(instants)
def test_times_are_compared_in_utc_only(at_ms: int) -> None:
    """Berlin and New York agree on what an hour is, as their offsets are of whole hours."""
    berlin, new_york = (window_at("hourly", name, at_ms) for name in ("Europe/Berlin", ZONES[1]))
    assert berlin == new_york == window_at("hourly", "UTC", at_ms)
    assert datetime.fromtimestamp(berlin.starts_ms // 1000, UTC).minute == 0
