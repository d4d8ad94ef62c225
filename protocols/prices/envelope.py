"""The envelope: no model of this provider that we know costs more, whatever the mode."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from protocols.prices.version import ANY_MODEL, PriceVersion, Rates, Tariff
from protocols.usage.kinds import PARENTS, TOKEN_KINDS


def envelope(provider: str | None, dated: str, versions: Iterable[PriceVersion]) -> PriceVersion:
    """For each kind the maximum over all models, modes, long contexts and regions."""
    rates: dict[str, Decimal] = {}
    unit_rates: dict[str, Decimal] = {}
    for version in versions:
        uplift = max(version.regions.values(), default=Decimal(1))
        for tariff in (*version.tariffs(None), *version.modes.values()):
            for table in _tables(tariff):
                _raise_to(rates, table, uplift)
        _raise_to(unit_rates, version.unit_rates, Decimal(1))
    for kind, parent in PARENTS.items():  # a model without the kind's rate pays the parent's
        if parent in rates:
            rates[kind] = max(rates.get(kind, Decimal(0)), rates[parent])
    dearest = max(rates.values(), default=Decimal(0))
    for kind in TOKEN_KINDS - rates.keys():  # nobody names one: whatever is dearest
        rates[kind] = dearest
    return PriceVersion(
        id=f"envelope/{provider or 'any'}@{dated}",
        provider=provider or "any",
        model=ANY_MODEL,
        rates=rates,
        unit_rates=unit_rates,
        source="the dearest known rate of each kind",
        estimated=True,
    )


def _tables(tariff: Tariff) -> Iterator[Rates]:
    yield tariff.rates
    tier = tariff.long_context
    while tier is not None:
        yield tier.rates
        tier = tier.beyond


def _raise_to(rates: dict[str, Decimal], table: Rates, uplift: Decimal) -> None:
    for kind, rate in table.items():
        rates[kind] = max(rates.get(kind, Decimal(0)), rate * uplift)
