"""What a usage costs at a price version: every digit, and the lines it is made of.

The only arithmetic on rates. Nothing is rounded here: the context traps any inexact result.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import TYPE_CHECKING

from protocols.debug import log_function
from protocols.errors import Unpriced
from protocols.usage import CHEAPER_MODES, LINEAGE, TOKEN_KINDS, Usage

if TYPE_CHECKING:
    from protocols.prices.version import PriceVersion, Rates, Tariff

EXACT = Context(prec=100, traps=[Inexact, InvalidOperation, Overflow])
MILLION = -6
ZERO, ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True)
class CostLine:
    """One kind of the usage: `count` times `rate`, per million where the kind is tokens."""

    kind: str
    count: int
    rate: Decimal
    usd: Decimal
    per_million: bool


@dataclass(frozen=True, slots=True)
class Cost:
    """The exact sum. `estimated`: some rate is an upper bound, not the provider's own."""

    exact_usd: Decimal
    lines: tuple[CostLine, ...]
    estimated: bool


@log_function()
def cost(
    usage: Usage,
    version: "PriceVersion",
    *,
    mode: str | None = None,
    region: str | None = None,
    at: datetime | None = None,
) -> Cost:
    """Price `usage` exactly. Raises Unpriced for a kind or a mode without a known rate.

    Total input, cached tokens included, decides the long-context tier, and the whole request
    pays it. `mode` and `region` default to the usage's own. Where the price depends on the hour,
    `at` decides; without it each kind is at its dearest hour, and the cost is an estimate.
    """
    mode, region = mode or usage.mode, region or usage.region
    scales = [
        _Scale(version, tariff, mode, region, usage.input_tokens) for tariff in version.tariffs(at)
    ]
    counts = [(kind, count) for kind, count in sorted(usage.counts.items()) if count]
    lines = tuple(_dearest([scale.line(kind, count) for scale in scales]) for kind, count in counts)
    total = ZERO
    for line in lines:
        total = EXACT.add(total, line.usd)
    return Cost(total, lines, len(scales) > 1 or scales[0].estimated)


def _dearest(lines: list[CostLine]) -> CostLine:
    return lines[0] if len(lines) == 1 else max(lines, key=lambda line: line.usd)


class _Scale:
    """The rates that hold for one call: mode, long context and region decided once."""

    def __init__(
        self,
        version: "PriceVersion",
        tariff: "Tariff",
        mode: str,
        region: str | None,
        input_tokens: int,
    ) -> None:
        self.version = version
        self.mode = mode
        self.estimated = version.estimated
        self.uplift = version.regions.get((region or "").lower(), ONE)
        self.standard = _reached(tariff, input_tokens)
        if tariff.rates is not version.rates:  # an hour that is silent on a kind: the base's rate
            self.standard += (version.rates,)
        self.special = self._special(input_tokens)

    def _special(self, input_tokens: int) -> "tuple[Rates, ...] | None":
        """Find the mode's own rates, if it is not the standard one."""
        if self.mode == "standard" or self.version.free or self.version.envelope:
            return None
        tariff = self.version.modes.get(self.mode)
        long = self.version.long_context
        self.estimated |= bool(self.version.hours)  # a mode's rates by the hour are not known
        if tariff is not None and (tariff.long_context or not long):
            return _reached(tariff, input_tokens)
        if tariff is not None and long is not None and not long.applies(input_tokens):
            return _reached(tariff, input_tokens)
        if self.mode not in CHEAPER_MODES:
            raise self._unpriced(f"in {self.mode} mode", "send the mode that was billed")
        self.estimated = True
        return None

    def line(self, kind: str, count: int) -> CostLine:
        if kind in TOKEN_KINDS:
            rate = EXACT.multiply(self._token_rate(kind), self.uplift)
            usd = EXACT.scaleb(EXACT.multiply(rate, Decimal(count)), MILLION)
            return CostLine(kind, count, rate, usd, per_million=True)
        rate = self._unit_rate(kind)
        return CostLine(kind, count, rate, EXACT.multiply(rate, Decimal(count)), per_million=False)

    def _unit_rate(self, kind: str) -> Decimal:
        rate = ZERO if self.version.free else self.version.unit_rates.get(kind)
        if rate is None:
            raise self._unpriced(f"per {kind}", "set a price for it, or leave the kind out")
        return rate

    def _token_rate(self, kind: str) -> Decimal:
        if self.version.free:
            return ZERO
        rate = self._rate_in(self.standard, kind)
        if self.special is not None:
            rate = self._special_rate(self.special, kind, rate)
        if rate is None:
            raise self._unpriced(f"for {kind} tokens in {self.mode} mode", "set a price for it")
        return rate

    def _rate_in(self, tables: "tuple[Rates, ...]", kind: str) -> Decimal | None:
        """Find the kind's rate, else its parent's, nearest table first.

        A long request whose tier names no rate for a kind pays the dearer of the two at hand.
        """
        for name in LINEAGE[kind]:
            found = [rates[name] for rates in tables if name in rates]
            if found and name not in tables[0]:
                self.estimated = True
                kin = _nearest(tables[:1], kind)
                return max(found[0], kin) if kin is not None else found[0]
            if found:
                return found[0]
        return None

    def _special_rate(
        self, special: "tuple[Rates, ...]", kind: str, standard: Decimal | None
    ) -> Decimal | None:
        """Take the mode's own rate; failing that one surely not below it, or none."""
        kin = self._rate_in(special, kind)
        if _has(special, kind) or (kin is not None and not _has(self.standard, kind)):
            return kin
        self.estimated = True
        if self.mode in CHEAPER_MODES:
            return standard
        return kin if kind.startswith("cache_read") else None

    def _unpriced(self, what: str, hint: str) -> Unpriced:
        name = f"{self.version.provider}/{self.version.model}"
        return Unpriced(
            f"{name} has no known price {what}",
            hint=hint,
            provider=self.version.provider,
            model=self.version.model,
            price_version=self.version.id,
        )


def _reached(tariff: "Tariff", input_tokens: int) -> "tuple[Rates, ...]":
    """Rates to look in, nearest first: the last tier that the input reaches, then those below."""
    tables: tuple[Rates, ...] = (tariff.rates,)
    long = tariff.long_context
    while long is not None and long.applies(input_tokens):
        tables = (long.rates, *tables)
        long = long.beyond
    return tables


def _has(tables: "tuple[Rates, ...]", kind: str) -> bool:
    return any(kind in rates for rates in tables)


def _nearest(tables: "tuple[Rates, ...]", kind: str) -> Decimal | None:
    """Find the kind's own rate in any of the tables, else its parent's."""
    for name in LINEAGE[kind]:
        for rates in tables:
            if name in rates:
                return rates[name]
    return None
