"""An immutable, dated set of rates for one model, with where it came from."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

Rates = Mapping[str, Decimal]
ANY_MODEL = "*"


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
        rates = {kind: rate for kind, rate in self.rates.items() if kind not in kinds}
        long = self.long_context
        if long is None:
            return Tariff(rates)
        kept = {kind: rate for kind, rate in long.rates.items() if kind not in kinds}
        return Tariff(rates, LongContext(long.threshold, kept, long.inclusive))

    def times(self, factor: Decimal) -> "Tariff":
        """Multiply every rate by a factor."""
        rates = {kind: rate * factor for kind, rate in self.rates.items()}
        long = self.long_context
        if long is None:
            return Tariff(rates)
        dearer = {kind: rate * factor for kind, rate in long.rates.items()}
        return Tariff(rates, LongContext(long.threshold, dearer, long.inclusive))


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

    @property
    def envelope(self) -> bool:
        """Whether it stands for any model: an upper bound in every mode and region."""
        return self.estimated and self.model == ANY_MODEL

    @property
    def tariff(self) -> Tariff:
        """The standard one."""
        return Tariff(self.rates, self.long_context)
