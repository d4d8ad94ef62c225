"""Months of the calendar in UTC, as the archive counts them: `2026-08`."""

from datetime import UTC, datetime

MONTHS = 12


def month_of(at_ms: int) -> str:
    """The month of a moment."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m}"


def ends_ms(month: str) -> int:
    """The first moment after a month."""
    year, number = map(int, month.split("-"))
    return _starts_ms(year * MONTHS + number)


def closed_before_ms(now_ms: int, months: int) -> int:
    """The first moment of the month so many before this one."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return _starts_ms(max(now.year * MONTHS + now.month - 1 - months, MONTHS))


def _starts_ms(months: int) -> int:
    """Counted from the year 0."""
    starts = datetime(months // MONTHS, months % MONTHS + 1, 1, tzinfo=UTC)
    return int(starts.timestamp() * 1000)
