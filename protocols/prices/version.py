"""An immutable, dated set of rates for one model, with where it came from."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

Rates = Mapping[str, Decimal]
ANY_MODEL = "*"
ENDLESS = 1 << 62


@dataclass(frozen=True, slots=True)
class LongContext:
    """The rates of a whole request once its input passes a threshold."""

    threshold: int
    rates: Rates
    inclusive: bool = False
    beyond: "LongContext | None" = None
    """The next tier, for requests longer still."""

    def applies(self, input_tokens: int) -> bool:
        return input_tokens > self.threshold or (self.inclusive and input_tokens == self.threshold)


@dataclass(frozen=True, slots=True)
class Tariff:
    """Rates in USD per million tokens, and those of long requests."""

    rates: Rates
    long_context: LongContext | None = None

    def without(self, kinds: Collection[str]) -> "Tariff":
        """Leave some kinds' rates out."""
        rates = _but(self.rates, kinds)
        return Tariff(rates, _each(self.long_context, lambda table: _but(table, kinds)))

    def times(self, factor: Decimal) -> "Tariff":
        """Multiply every rate by a factor."""
        rates = _times(self.rates, factor)
        return Tariff(rates, _each(self.long_context, lambda table: _times(table, factor)))


def _each(tier: LongContext | None, change: Callable[[Rates], Rates]) -> LongContext | None:
    """The same tiers with other rates."""
    if tier is None:
        return None
    return replace(tier, rates=change(tier.rates), beyond=_each(tier.beyond, change))


def _but(rates: Rates, kinds: Collection[str]) -> Rates:
    return {kind: rate for kind, rate in rates.items() if kind not in kinds}


def _times(rates: Rates, factor: Decimal) -> Rates:
    return {kind: rate * factor for kind, rate in rates.items()}


@dataclass(frozen=True, slots=True)
class Hours:
    """Other rates at certain hours of the day, UTC. A window may run over midnight."""

    starts_min: int
    """Minutes after midnight, the first that belongs to the window."""
    ends_min: int
    """The first that does not."""
    tariff: Tariff
    weekdays: frozenset[int] = frozenset(range(7))
    """The days on which the window starts, Monday is 0."""

    def apply(self, at: datetime) -> bool:
        """Whether this moment lies in the window."""
        moment = at.astimezone(UTC)
        minute, day = moment.hour * 60 + moment.minute, moment.weekday()
        if self.starts_min < self.ends_min:
            return self.starts_min <= minute < self.ends_min and day in self.weekdays
        if minute >= self.starts_min:
            return day in self.weekdays
        return minute < self.ends_min and (day - 1) % 7 in self.weekdays


@dataclass(frozen=True, slots=True)
class PriceVersion:
    """What a model costs.

    `free`: somebody said that it costs nothing; never a guess. `estimated`: an upper bound, such
    as the dearest hour of a price that changes with the hour.
    """

    id: str
    provider: str
    model: str
    rates: Rates
    unit_rates: Rates = field(default_factory=dict)
    long_context: LongContext | None = None
    modes: Mapping[str, Tariff] = field(default_factory=dict)
    regions: Rates = field(default_factory=dict)
    hours: tuple[Hours, ...] = ()
    max_output_tokens: int | None = None
    source: str = ""
    chat: bool = True
    free: bool = False
    estimated: bool = False
    whole_rates: dict[str, int] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What `whole_cost` has worked out; the same for ever, as the rates are."""

    @property
    def envelope(self) -> bool:
        """Whether it stands for any model: an upper bound in every mode and region."""
        return self.estimated and self.model == ANY_MODEL

    @property
    def plain_up_to(self) -> int:
        """So many tokens of input, and the base rates hold at any hour; -1 if they never do."""
        if self.hours:
            return -1
        long = self.long_context
        return ENDLESS if long is None else long.threshold - long.inclusive

    @property
    def tariff(self) -> Tariff:
        """The standard one."""
        return Tariff(self.rates, self.long_context)

    def tariffs(self, at: datetime | None) -> list[Tariff]:
        """The one of that moment; without a moment, all that may be the one."""
        if not self.hours:
            return [self.tariff]
        if at is None:
            return [self.tariff, *(hours.tariff for hours in self.hours)]
        return [next((h.tariff for h in self.hours if h.apply(at)), self.tariff)]
