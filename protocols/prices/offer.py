"""What one source says a model costs, in our words and units, before anybody believes it."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from protocols.prices.version import Hours, LongContext, Tariff

DIGITS_MAX, DIGITS_KEPT = 12, 9
MILLION = 6


@dataclass(slots=True)
class Offer:
    """One model of one source. `peak`: the price changes with the hour, and this is its dearest."""

    provider: str
    model: str
    rates: dict[str, Decimal]
    unit_rates: dict[str, Decimal] = field(default_factory=dict)
    long_context: LongContext | None = None
    modes: dict[str, Tariff] = field(default_factory=dict)
    regions: dict[str, Decimal] = field(default_factory=dict)
    hours: tuple[Hours, ...] = ()
    max_output_tokens: int | None = None
    chat: bool = True
    peak: bool = False
    starts: date | None = None
    """None: in force now. A date: announced for that day."""

    @property
    def free(self) -> bool:
        """The source names both prices and both are zero. Not the same as silence."""
        return self.rates.get("input") == 0 and self.rates.get("output") == 0


@dataclass(slots=True)
class Reading:
    """A source's whole file: what it offers, and the rows nobody could believe, with the reason."""

    offers: list[Offer]
    rejected: dict[str, str] = field(default_factory=dict)
    """`provider/model` as the source spells it → why."""


def rate(value: object, shift: int = 0) -> Decimal | None:
    """Read a rate exactly; a binary float's noise (more than 12 digits) goes, nothing else."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    exact = Decimal(value).scaleb(shift)
    if not exact.is_finite() or exact < 0:
        return None
    if len(exact.normalize().as_tuple().digits) > DIGITS_MAX:
        exact = exact.quantize(Decimal(1).scaleb(exact.adjusted() - DIGITS_KEPT + 1))
    return exact.normalize() + 0
