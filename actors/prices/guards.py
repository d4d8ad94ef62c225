"""What no price may look like, whoever says it: limits set from three years of measured prices."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal

from actors.prices.moves import Move
from protocols.prices import Tariff
from protocols.prices.offer import Offer
from protocols.usage import OUTPUT_KINDS

INPUT_RANGE = (Decimal("0.005"), Decimal(200))
OUTPUT_RANGE = (Decimal("0.005"), Decimal(700))
OUTPUT_RATIO = (Decimal(1), Decimal(12))
WRITE_5M_RATIO = (Decimal(0), Decimal("1.5"))
WRITE_1H_RATIO = (Decimal(1), Decimal("2.5"))
LONG_RATIO = (Decimal(1), Decimal(5))
CHEAPER_RATIO = (Decimal("0.2"), Decimal(1))
DEARER_RATIO = (Decimal(1), Decimal(10))


def absolute(offer: Offer) -> str | None:
    """Why this price is impossible, or None."""
    if offer.free:
        return None
    return next(_impossible(offer), None)


def suspect(offer: Offer) -> str | None:
    """Why this price needs a second opinion, or None."""
    return None if offer.free else next(_odd(offer), None)


def writes_too_cheap(offer: Offer) -> bool:
    """Whether the cache write is cheaper than reading without a cache. No provider sells that."""
    fresh = offer.rates["input"]
    return offer.rates.get("cache_write_5m", fresh) < fresh


def _impossible(offer: Offer) -> Iterator[str]:
    for kind, value in offer.rates.items():
        low, high = OUTPUT_RANGE if kind in OUTPUT_KINDS else INPUT_RANGE
        if value == 0:
            yield f"{kind} is 0 and the other price is not"
        elif kind in {"input", "output"} and value < low and offer.chat:
            yield f"{kind} {value} is below {low}"
        elif value > high:
            yield f"{kind} {value} is above {high}"
    fresh = offer.rates.get("input")
    if fresh is not None and offer.rates.get("cache_read", fresh) > fresh:
        yield "cache_read is dearer than input"


def _odd(offer: Offer) -> Iterator[str]:
    rates, fresh = offer.rates, offer.rates.get("input")
    if fresh is None:
        return
    checks = [
        ("output", rates.get("output") if offer.chat else None, OUTPUT_RATIO),
        ("cache_write_5m", rates.get("cache_write_5m"), WRITE_5M_RATIO),
        ("cache_write_1h", rates.get("cache_write_1h"), WRITE_1H_RATIO),
    ]
    if offer.long_context is not None:
        checks.append(("long input", offer.long_context.rates.get("input"), LONG_RATIO))
    for name, value, (low, high) in checks:
        if value is not None and not low * fresh <= value <= high * fresh:
            yield f"{name} {value} against input {fresh}"


def odd_mode(offer: Offer, mode: str, tariff: Tariff) -> bool:
    """Whether a mode's rates are out of proportion to the standard ones."""
    low, high = CHEAPER_RATIO if mode in {"batch", "flex"} else DEARER_RATIO
    for kind, value in tariff.rates.items():
        standard = offer.rates.get(kind)
        if standard and not low * standard <= value <= high * standard:
            return True
    return False


MOVE_FREELY = Decimal("2.5")
MOVE_UNDISPUTED = Decimal(5)
ALARM = Decimal(10)


def moved(move: Move, *, dissent: bool) -> str | None:
    """Why a change that two families back still waits for a person, or None."""
    if move.zero:
        return "zero"
    if move.factor > MOVE_UNDISPUTED:
        return "leap"
    if move.factor > MOVE_FREELY and dissent:
        return "move"
    return None


def severity(move: Move) -> Literal["warning", "critical"]:
    return "critical" if move.zero or move.factor > ALARM else "warning"


LOST_SHARE = Decimal("0.10")
CHANGED_SHARE = Decimal("0.03")
CHANGED_SHARE_MAX = Decimal("0.30")
WEEK_MS = 7 * 86_400_000
FEW = 20
"""Below so many models a share says nothing."""


def whole_file(before: Sequence[Offer], after: Sequence[Offer], apart_ms: int) -> str | None:
    """Why a file is not believed as a whole, compared with the last one that was: or None.

    In a week at most 2.2 % of a large file's prices were ever seen to change, so files that lie
    weeks apart may differ by more.
    """
    old = {(offer.provider, offer.model): offer.rates for offer in before if offer.starts is None}
    new = {(offer.provider, offer.model): offer.rates for offer in after if offer.starts is None}
    if len(old) < FEW:
        return None
    lost = sum(key not in new for key in old)
    if lost > LOST_SHARE * len(old):
        return f"{lost} of {len(old)} models are gone (more than {LOST_SHARE:%})"
    weeks = max(Decimal(1), Decimal(apart_ms) / WEEK_MS)
    allowed = min(CHANGED_SHARE * weeks, CHANGED_SHARE_MAX)
    changed = sum(key in new and new[key] != rates for key, rates in old.items())
    if changed > allowed * len(old):
        return f"{changed} of {len(old)} prices changed at once (more than {allowed:.1%})"
    return None
