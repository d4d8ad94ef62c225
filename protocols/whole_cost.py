"""The same cost in whole numbers, for the ordinary call that comes by the thousand.

`cost` works in exact decimals and shows its lines. A hold or a booking needs the rounded sum
only, and most are of text tokens in standard mode. Their rates are kept as whole numbers, worked
out once by `cost` itself; every other call goes the long way. `budget verify` always does.
"""

from datetime import datetime
from decimal import Decimal

from protocols.costing import EXACT, cost
from protocols.errors import Unpriced
from protocols.money import Nanos, round_half_even, round_up
from protocols.prices.version import PriceVersion
from protocols.usage import TOKEN_KINDS, Usage

DIGITS = 20
"""A rate is kept in 10⁻²⁰ USD per million tokens: published ones have up to 17 decimals."""
PARTS = 10 ** (DIGITS - 3)
"""So many of them, times tokens, are one nano-dollar."""
NOT_WHOLE = -1


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


def _parts(usage: Usage, version: PriceVersion) -> int | None:
    """The sum in parts of a nano-dollar; None where the long way must be gone."""
    if usage.mode != "standard" or usage.region is not None or version.hours:
        return None
    long = version.long_context
    if long is not None and long.applies(usage.input_tokens):
        return None
    rates = version.whole_rates
    total = 0
    for kind, count in usage.counts.items():
        rate = rates.get(kind)
        if rate is None:
            rate = rates[kind] = _whole_rate(kind, version)
        if rate == NOT_WHOLE:
            return None
        total += rate * count
    return total


def _whole_rate(kind: str, version: PriceVersion) -> int:
    """What `cost` takes for one token of this kind, as a whole number if it is one."""
    if kind not in TOKEN_KINDS:
        return NOT_WHOLE
    try:
        found = cost(Usage(counts={kind: 1}), version)
    except Unpriced:
        return NOT_WHOLE
    rate = EXACT.scaleb(found.lines[0].rate, Decimal(DIGITS))
    whole = rate == rate.to_integral_value(context=EXACT)
    return int(rate) if whole and found.estimated == version.estimated else NOT_WHOLE
