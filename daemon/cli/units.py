"""Figures for people: each says its unit."""

import re
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

import click

PLACES = Decimal("0.0001")
READ = 4
"""So many decimals a person reads."""
CENT = Decimal("0.01")
FOREVER = "9999-"
"""The year in which a window that never ends would end."""


def usd(text: str | Decimal) -> str:
    """Dollars, rounded to what a person reads: $20.00, $3.1412, $0.00012. JSON has every digit."""
    amount = Decimal(text)
    size = abs(amount)
    step = PLACES if size == 0 or size >= CENT else Decimal(1).scaleb(size.adjusted() - 1)
    sign = "-" if amount < 0 else ""
    whole, _, fraction = f"{size.quantize(step, ROUND_HALF_EVEN):f}".partition(".")
    return f"{sign}${int(whole):,}.{fraction.rstrip('0').ljust(2, '0')}"


def exact_usd(text: str | Decimal) -> str:
    """Dollars to the last digit; what is below a hundredth of a cent stands back."""
    whole, _, fraction = f"{Decimal(text):f}".partition(".")
    digits = fraction.rstrip("0").ljust(2, "0")
    return f"${int(whole):,}.{digits[:READ]}" + click.style(digits[READ:], dim=True)


def count(number: int, unit: str = "") -> str:
    """Write a whole number with its unit: 1,204 tokens, 1 call."""
    if abs(number) == 1:
        unit = re.sub("ies$", "y", unit).removesuffix("s")
    return f"{number:,} {unit}".rstrip()


def amount(axis: str, value: str | int) -> str:
    """Write what a policy counts on one axis: usd, tokens or calls."""
    return usd(str(value)) if axis == "usd" else count(int(value), axis)


def figure(axis: str, value: str | int) -> str:
    """Write the same for a column whose unit stands beside it; dollars keep their sign."""
    return usd(str(value)) if axis == "usd" else count(int(value))


def amounts(held: dict[str, str | int]) -> str:
    """Write what a hold holds: $0.012, 3,000 tokens, 1 call."""
    return ", ".join(amount(axis, held[axis]) for axis in ("usd", "tokens", "calls"))


def share(part: str | int, whole: str | int) -> float:
    """How much of the whole, 0 to 1 and more; nothing of nothing is all of it."""
    return float(Decimal(part) / Decimal(whole)) if Decimal(whole) else 1.0


def when(stamp: str | None) -> str:
    """Write an instant in the zone of this machine: 24 Nov 00:00 CET."""
    if stamp is None or stamp.startswith(FOREVER):
        return "never"
    local = datetime.fromisoformat(stamp).astimezone()
    return f"{local.day} {local:%b %H:%M %Z}"


def lasting(seconds: float) -> str:
    """Write a length of time in its two largest units: 2 h 14 min."""
    left = int(seconds)
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2]) or "0 s"
