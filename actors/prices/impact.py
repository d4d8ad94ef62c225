"""What a price would have made of past calls, by policy. Pure sums over bookings."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from protocols.costing import Cost, cost
from protocols.errors import Unpriced
from protocols.journal import StoredBooking
from protocols.money import round_half_even, show_usd
from protocols.period import rfc3339
from protocols.prices.changes import Impact, PolicyImpact
from protocols.prices.version import PriceVersion
from protocols.usage import normalise


@dataclass(slots=True)
class Sums:
    """Calls, what they were booked at, and what they would have been, in nano-dollars."""

    calls: int = 0
    booked: int = 0
    would_be: int = 0

    def add(self, booked: int, would_be: int) -> None:
        self.calls += 1
        self.booked += booked
        self.would_be += would_be


@dataclass(slots=True)
class ImpactSums:
    """Fed one booking at a time."""

    version: PriceVersion
    house: Sums = field(default_factory=Sums)
    policies: dict[str, Sums] = field(default_factory=dict)

    def add(self, booking: StoredBooking, policies: dict[int, str]) -> None:
        body = booking.body
        would_be = reprice(booking, self.version)
        self.house.add(body["usd"], would_be)
        covered = body.get("covered")
        windows = body["parent_windows"] if covered and covered[0] else body["windows"]
        for name in {policies[window] for window in windows if window in policies}:
            self.policies.setdefault(name, Sums()).add(body["usd"], would_be)

    def shown(self, since_ms: int) -> Impact:
        house = self.house
        return Impact(
            provider=self.version.provider,
            model=self.version.model,
            since=rfc3339(since_ms),
            calls=house.calls,
            booked_usd=show_usd(house.booked),
            would_be_usd=show_usd(house.would_be),
            change_usd=show_usd(house.would_be - house.booked),
            policies=self._by_policy(),
        )

    def _by_policy(self) -> list[PolicyImpact]:
        return [
            PolicyImpact(
                name, sums.calls, show_usd(sums.booked), show_usd(sums.would_be),
                show_usd(sums.would_be - sums.booked),
            )
            for name, sums in sorted(self.policies.items())
        ]  # fmt: skip


def reprice(booking: StoredBooking, version: PriceVersion) -> int:
    """What a booking costs at this version; where that cannot be said, what it was booked at."""
    found = None if booking.body.get("at_hold") else cost_of(booking, version)
    return int(booking.body["usd"]) if found is None else round_half_even(found.exact_usd)


def cost_of(booking: StoredBooking, version: PriceVersion) -> Cost | None:
    """What a booking's usage costs at this version; None where it has no rate for a part."""
    at_ms = booking.body.get("priced_at_ms", booking.at_ms)
    at = datetime.fromtimestamp(at_ms / 1000, UTC) if version.hours else None
    try:
        return cost(normalise(booking.body["usage"]), version, at=at)
    except Unpriced:
        return None
