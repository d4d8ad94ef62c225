"""The same cost in whole numbers, for the ordinary call that comes by the thousand.

`cost` works in exact decimals and shows its lines. A hold or a booking needs the rounded sum
only, and most are of text tokens in standard mode. Their rates are kept as whole numbers, worked
out once by `cost` itself; every other call goes the long way. `budget verify` always does.
"""

from datetime import datetime
from decimal import Decimal

from protocols.costing import EXACT, MILLION, cost
from protocols.errors import Unpriced
from protocols.money import Nanos, round_half_even, round_up
from protocols.prices.version import PriceVersion
from protocols.usage import TOKEN_KINDS, Usage

DIGITS = 20
"""A rate is kept in 10⁻²⁰ USD per million tokens: published ones have up to 17 decimals."""
PARTS = 10 ** (DIGITS - 3)
"""So many of them, times tokens, are one nano-dollar."""
NOT_WHOLE = -1
Parts = int | Decimal
"""Of a nano-dollar. Whole, unless some rate has more digits than are kept."""


def cost_of_hold(usage: Usage, version: PriceVersion) -> Nanos:
    """Round up: a hold never falls short. Raises Unpriced."""
    parts = _parts(usage, version)
    if parts is None:
        return round_up(cost(usage, version).exact_usd)
    return Nanos(-(-parts // PARTS))


def cost_of_booking(
    usage: Usage, version: PriceVersion, at: datetime | None = None
) -> tuple[Nanos, bool]:
    """Round half to even; the second says whether some rate is only an upper bound."""
    parts = _parts(usage, version)
    if parts is None:
        found = cost(usage, version, at=at)
        return round_half_even(found.exact_usd), found.estimated
    whole, rest = divmod(parts, PARTS)
    above = 2 * rest > PARTS or (2 * rest == PARTS and whole & 1)
    return Nanos(whole + above), version.estimated


def parts_of(usage: Usage, version: PriceVersion) -> Parts:
    """The exact sum, to compare. Raises Unpriced."""
    parts = _parts(usage, version)
    return _scaled(cost(usage, version).exact_usd, DIGITS - MILLION) if parts is None else parts


def nanos_up(parts: Parts) -> Nanos:
    if isinstance(parts, int):
        return Nanos(-(-parts // PARTS))
    return round_up(EXACT.scaleb(parts, Decimal(MILLION - DIGITS)))


def most_output(usage: Usage, version: PriceVersion, room_usd: Nanos) -> int | None:
    """How many tokens of output the room pays for, below 0 if not even the rest is paid. None
    where that cannot be told so simply, or where output costs nothing.
    """
    rest = _parts(Usage({**usage.counts, "output": 0}), version)
    rate = rate_of("output", version)
    return None if rest is None or rate <= 0 else (room_usd * PARTS - rest) // rate


def _parts(usage: Usage, version: PriceVersion) -> int | None:
    """The sum in parts of a nano-dollar; None where the long way must be gone."""
    if not usage.standard or version.hours:
        return None
    long = version.long_context
    if long is not None and long.applies(usage.input_tokens):
        return None
    rates = version.whole_rates
    total = 0
    for kind, count in usage.counts.items():
        rate = rates.get(kind)
        if rate is None:
            rate = rate_of(kind, version)
        if rate == NOT_WHOLE:
            return None
        total += rate * count
    return total


def rate_of(kind: str, version: PriceVersion) -> int:
    """The parts that one token costs in an ordinary call, or NOT_WHOLE."""
    rate = version.whole_rates.get(kind)
    if rate is None:
        rate = version.whole_rates[kind] = _whole_rate(kind, version)
    return rate


def in_parts(rate: Decimal | None) -> Parts:
    """A rate as it is kept; one that is not there is nothing."""
    return 0 if rate is None else _scaled(rate, DIGITS)


def _scaled(value: Decimal, digits: int) -> Parts:
    scaled = EXACT.scaleb(value, Decimal(digits))
    return int(scaled) if scaled == scaled.to_integral_value(context=EXACT) else scaled


def _whole_rate(kind: str, version: PriceVersion) -> int:
    """What `cost` takes for one token of this kind, as a whole number if it is one."""
    if kind not in TOKEN_KINDS:
        return NOT_WHOLE
    try:
        found = cost(Usage(counts={kind: 1}), version)
    except Unpriced:
        return NOT_WHOLE
    rate = in_parts(found.lines[0].rate)
    whole = isinstance(rate, int) and found.estimated == version.estimated
    return int(rate) if whole else NOT_WHOLE
