"""How far a price would move: rate by rate against the one in force."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from protocols.prices.offer import Offer
from protocols.prices.version import LongContext, PriceVersion, Rates
from protocols.usage import LINEAGE

Step = tuple[str, Decimal | None, Decimal]
"""Kind, rate in force, rate offered."""


@dataclass(slots=True)
class Move:
    """The rates that would change. A rate nobody offers any more stays as it is: no change."""

    steps: list[Step]

    @property
    def same(self) -> bool:
        return not self.steps

    @property
    def factor(self) -> Decimal:
        """The farthest step, up or down, of those from a price to a price."""
        factors = [max(new / old, old / new) for _, old, new in self.steps if old and new]
        return max(factors, default=Decimal(1))

    @property
    def zero(self) -> bool:
        """Whether something that costs would be free, or the other way round."""
        return any(old is not None and bool(old) != bool(new) for _, old, new in self.steps)

    @property
    def told(self) -> str:
        return ", ".join(
            f"{kind} {'none' if old is None else format(old, 'f')} → {new:f}"
            for kind, old, new in self.steps
        )


def against(now: PriceVersion, offer: Offer) -> Move:
    """Compare what is offered with what is in force, in every mode and tier."""
    steps = list(_steps("", now.rates, offer.rates))
    steps += _steps("", now.unit_rates, offer.unit_rates)
    steps += _steps("region ", now.regions, offer.regions)
    steps += _tiers("long ", now.long_context, offer.long_context)
    for mode, tariff in sorted(offer.modes.items()):
        kept = now.modes.get(mode)
        steps += _steps(f"{mode} ", kept.rates if kept else {}, tariff.rates)
        steps += _tiers(f"{mode} long ", kept.long_context if kept else None, tariff.long_context)
    if offer.hours and offer.hours != now.hours:
        steps += [(f"{kind} by the hour", None, rate) for kind, rate in sorted(offer.rates.items())]
    return Move(steps)


def _steps(where: str, now: Rates, offered: Rates) -> Iterator[Step]:
    """A kind without a rate of its own pays its parent's: to say so is no change."""
    for kind, rate in sorted(offered.items()):
        old = next((now[name] for name in LINEAGE.get(kind, (kind,)) if name in now), None)
        if old != rate:
            yield f"{where}{kind}", now.get(kind), rate


def _tiers(where: str, now: LongContext | None, offered: LongContext | None) -> list[Step]:
    if offered is None:
        return []
    steps = list(_steps(where, now.rates if now is not None else {}, offered.rates))
    if now is not None and _starts(now) != _starts(offered):
        steps.append((f"{where}from", Decimal(_starts(now)), Decimal(_starts(offered))))
    beyond = None if now is None else now.beyond
    return steps + _tiers(f"{where}further ", beyond, offered.beyond)


def _starts(tier: LongContext) -> int:
    return tier.threshold + (not tier.inclusive)
