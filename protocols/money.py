"""Money: whole nano-dollars inside, decimal strings outside, never a float.

A nano-dollar is 10⁻⁹ USD. 63 bits of them are nine billion dollars.
"""

import re
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Annotated, NewType

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

Nanos = NewType("Nanos", int)
"""Nano-dollars."""

NANOS_PER_USD = 1_000_000_000
NANOS_MAX = 10**15
"""One call may move at most a million dollars; sums stay far below 2⁶²."""

PATTERN = r"^\d{1,12}(\.\d{1,9})?$"
_USD = re.compile(PATTERN, re.ASCII)


def nanos(text: str) -> Nanos:
    """Nano-dollars of a decimal string such as "0.0375". Raises ValueError naming the remedy."""
    if not isinstance(text, str) or not _USD.fullmatch(text):
        raise ValueError('must be USD as a decimal string such as "0.25", at most nine decimals')
    whole, _, fraction = text.partition(".")
    amount = int(whole) * NANOS_PER_USD + int(fraction.ljust(9, "0"))
    if amount > NANOS_MAX:
        raise ValueError("must be at most 1000000 USD")
    return Nanos(amount)


def show_usd(amount: int) -> str:
    """A decimal string with all nine places: 12_000_000 → "0.012000000"."""
    if amount < 0:
        return f"-{show_usd(-amount)}"
    return f"{amount // NANOS_PER_USD}.{amount % NANOS_PER_USD:09d}"


def round_up(exact_usd: Decimal) -> Nanos:
    """For holds: never less than the exact cost."""
    return Nanos(int((exact_usd * NANOS_PER_USD).to_integral_value(ROUND_CEILING)))


def round_half_even(exact_usd: Decimal) -> Nanos:
    """For bookings: the nearest nano-dollar, once per entry."""
    return Nanos(int((exact_usd * NANOS_PER_USD).to_integral_value(ROUND_HALF_EVEN)))


def _parse(value: object) -> object:
    if not isinstance(value, str):
        kind = type(value).__name__
        raise ValueError(f'must be a decimal string such as "0.25", not {kind}')  # noqa: TRY004
    return nanos(value)


Usd = Annotated[
    Nanos,
    BeforeValidator(_parse),
    PlainSerializer(show_usd, when_used="json-unless-none"),
    WithJsonSchema({"type": "string", "pattern": PATTERN}),
]
"""A field that takes a decimal string, holds nano-dollars, and gives a decimal string."""
