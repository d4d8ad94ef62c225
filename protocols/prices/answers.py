"""Answers that need only the book: a quote, and a page of the list."""

from decimal import Decimal
from fnmatch import fnmatchcase

from protocols.costing import CostLine, cost
from protocols.debug import log_function
from protocols.errors import Unpriced
from protocols.money import round_half_even, show_usd
from protocols.prices.book import PriceBook
from protocols.prices.messages import (
    HoursShown,
    ListPrices,
    LongContextShown,
    PriceList,
    PriceShown,
    Quote,
    QuoteReply,
    TokenLine,
    UnitLine,
)
from protocols.prices.names import provider_name
from protocols.prices.version import Hours, LongContext, PriceVersion, Rates
from protocols.usage import normalise


@log_function()
def quote(book: PriceBook, asked: Quote, then: PriceVersion | None = None) -> QuoteReply:
    """Price a usage at the book's rates, or at an earlier version. Raises Unpriced."""
    version = then or book.find(asked.provider, asked.model)
    if version is None:
        raise unpriced(asked.provider, asked.model)
    usage = normalise(asked.usage, version.provider)
    mode = usage.mode if asked.mode == "standard" else asked.mode
    priced = cost(usage, version, mode=mode, region=asked.region, at=asked.at)
    return QuoteReply(
        cost_usd=show_usd(round_half_even(priced.exact_usd)),
        cost_exact_usd=digits(priced.exact_usd),
        price_version=version.id,
        lines=[_line(line) for line in priced.lines],
        estimated=priced.estimated,
    )


def list_prices(book: PriceBook, asked: ListPrices) -> PriceList:
    """One page of the book."""
    pattern = None if asked.model is None else asked.model.lower()
    after = asked.cursor or ""
    found = [
        version
        for version in book.models(asked.provider)
        if _place(version) > after
        and (pattern is None or fnmatchcase(version.model.lower(), pattern))
    ]
    page = found[: asked.limit]
    more = len(found) > len(page)
    return PriceList([shown(v) for v in page], _place(page[-1]) if more else None)


def unpriced(provider: str | None, model: str) -> Unpriced:
    """Refuse to price a model nobody gave a price for."""
    named = f"{provider_name(provider)}/{model}" if provider else model
    return Unpriced(
        f"there is no price for {named}",
        hint="check the spelling, name the provider, or set a price",
        provider=provider,
        model=model,
    )


def digits(amount: Decimal) -> str:
    """Every digit that says something, without an exponent."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _line(line: CostLine) -> TokenLine | UnitLine:
    kind = TokenLine if line.per_million else UnitLine
    return kind(line.kind, line.count, digits(line.rate), digits(line.usd))


def _place(version: PriceVersion) -> str:
    return f"{version.provider} {version.model}"


def _told(rates: Rates) -> dict[str, str]:
    return {kind: digits(rate) for kind, rate in sorted(rates.items())}


def _tiers(tier: LongContext | None) -> list[LongContextShown]:
    if tier is None:
        return []
    shown = LongContextShown(tier.threshold, tier.inclusive, _told(tier.rates))
    return [shown, *_tiers(tier.beyond)]


def _hours(hours: Hours) -> HoursShown:
    return HoursShown(
        _clock(hours.starts_min), _clock(hours.ends_min),
        [day + 1 for day in sorted(hours.weekdays)], _told(hours.tariff.rates),
    )  # fmt: skip


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def shown(version: PriceVersion) -> PriceShown:
    return PriceShown(
        price_version=version.id,
        provider=version.provider,
        model=version.model,
        rates=_told(version.rates),
        unit_rates=_told(version.unit_rates),
        long_context=_tiers(version.long_context),
        modes={name: _told(tariff.rates) for name, tariff in sorted(version.modes.items())},
        hours=[_hours(hours) for hours in version.hours],
        regions=_told(version.regions),
        max_output_tokens=version.max_output_tokens,
        source=version.source,
        free=version.free,
    )
