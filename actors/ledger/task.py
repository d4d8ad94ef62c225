"""One request on its way through ledger and policy engine, and how its usage is priced."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from actors.ledger.estimate import Estimate, booking_price, of_one_call
from actors.ledger.hold import Hold
from actors.routing.router import Plan
from protocols.errors import Unpriced
from protocols.policy.charge import ZERO, Amounts, Refused, Weighed
from protocols.policy.choice import Option
from protocols.prices import PriceBook, PriceVersion
from protocols.usage import TOKEN_KINDS, Usage, normalise
from protocols.whole_cost import cost_of_booking


@dataclass(slots=True)
class Priced:
    """A usage and its price. `at_hold`: no usage was told, the hold itself is charged."""

    usage: Usage
    usd: int
    version: PriceVersion
    estimated: bool
    at_hold: bool = False
    at_ms: int | None = None
    """The moment that decided, where the price depends on the hour."""


@dataclass(slots=True)
class Task:
    """The memo that comes back with the policy engine's answer."""

    request: Any
    key: bytes | None = None
    hold: Hold | None = None
    estimate: Estimate | None = None
    priced: Priced | None = None
    amounts: Amounts = ZERO
    choice: "Choice | None" = None


@dataclass(slots=True)
class Choice:
    """The candidates that the policy engine weighs, and what led to it, if the call was refused."""

    plan: Plan
    options: list[Option]
    """As they are weighed."""
    hold: str
    """The id of the hold to come."""
    told: Refused | Weighed | None


def price_usage(
    book: PriceBook, provider: str, model: str, pinned: PriceVersion | None, raw: dict[str, Any],
    at_ms: int,
) -> Priced:  # fmt: skip
    """Read a usage and price it with the pinned version, or today's. Booking is never refused:
    what has no price is charged at the dearest known rates and marked as estimated.
    """
    usage = normalise(raw, provider)
    version, known = pinned, True
    if version is None:
        _, version, known = booking_price(book, provider, model)
    at = datetime.fromtimestamp(at_ms / 1000, UTC) if version.hours else None
    try:
        usd, estimated = cost_of_booking(usage, version, at)
    except Unpriced:
        version, known = book.dearest(provider), False
        counts = {
            kind: count
            for kind, count in usage.counts.items()
            if kind in TOKEN_KINDS or kind in version.unit_rates
        }
        known_part = replace(usage, counts=counts, mode="standard", region=None)
        usd, estimated = cost_of_booking(known_part, version)
    return Priced(
        usage,
        of_one_call(usd),
        version,
        estimated or not known,
        at_ms=None if at is None else at_ms,
    )


def charge_hold(hold: Hold, version: PriceVersion) -> Priced:
    """A settle that tells no usage costs what was held, never nothing."""
    return Priced(Usage(), hold.unspent.usd, version, estimated=True, at_hold=True)
