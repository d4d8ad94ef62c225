"""The model's own arithmetic: periods, prices, and how figures are written. Nothing of ours."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
FOREVER = 253_402_300_799_000
NANO = 10**9

RATES = {
    "small": {"input": "0.0375", "cache_read": "0.009375", "output": "0.15"},
    "large": {"input": "3", "cache_read": "0.3", "output": "15"},
    "mystery": {"input": "3", "cache_read": "3", "output": "15"},
    "tiny": {"input": "0", "cache_read": "0", "output": "0"},
}
"""USD per million tokens. Nobody sells `mystery`: it costs the dearest of every kind."""

BERLIN_WINTER, BERLIN_SUMMER = 1 * HOUR, 2 * HOUR


def clocks_change(year: int, month: int) -> int:
    """Berlin's clocks change on the last Sunday of March and of October, at 01:00 UTC."""
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return int((last - timedelta(days=last.isoweekday() % 7)).timestamp()) * 1000


def berlin_offset(at: int) -> int:
    year = datetime.fromtimestamp(at // 1000, UTC).year
    summer = clocks_change(year, 3) <= at < clocks_change(year, 10)
    return BERLIN_SUMMER if summer else BERLIN_WINTER


def berlin_midnight(day: int) -> int:
    """When the day begins that is so many days after 1970, in UTC."""
    summer = day * DAY - BERLIN_SUMMER
    return summer if berlin_offset(summer) == BERLIN_SUMMER else day * DAY - BERLIN_WINTER


def window(period: str, at: int) -> tuple[int, int]:
    """The window that contains the instant; of a rolling hour, the minute, and when it is left."""
    match period:
        case "hourly":
            return at - at % HOUR, at - at % HOUR + HOUR
        case "daily":
            return at - at % DAY, at - at % DAY + DAY
        case "berlin":
            day = (at + berlin_offset(at)) // DAY
            return berlin_midnight(day), berlin_midnight(day + 1)
        case "rolling:1h":
            return at - at % MINUTE, at - at % MINUTE + MINUTE + HOUR
        case "per_session":
            return at, at + 90 * DAY
        case _:
            return 0, FOREVER


def exact_nanos(model: str, usage: dict[str, int]) -> Fraction:
    rates = RATES[model]
    return sum((Fraction(rates[kind]) * n * 1000 for kind, n in usage.items()), Fraction(0))


def nanos_up(model: str, usage: dict[str, int]) -> int:
    return -(-exact_nanos(model, usage) // 1)


def nanos_nearest(model: str, usage: dict[str, int]) -> int:
    """Half to even, which is how fractions round."""
    return round(exact_nanos(model, usage))


def usd(nanos: int) -> str:
    sign = "-" if nanos < 0 else ""
    return f"{sign}{abs(nanos) // NANO}.{abs(nanos) % NANO:09d}"


def told(axis: int, amount: int) -> str | int:
    return usd(amount) if axis == 0 else amount


def time(ms: int) -> str:
    text = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def ends(ms: int) -> str | None:
    return None if ms == FOREVER else time(ms)
