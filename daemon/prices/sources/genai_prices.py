"""genai-prices' v2 file as a source. Its rules on parts of names are not used: only whole names."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from actors.ports import SourceFailed
from daemon.prices.genai_data import KINDS, UNITS
from daemon.prices.sources.parse import enough, parse, rows, table, unbelievable, why
from protocols.prices import provider_name, without_path
from protocols.prices.offer import Offer, Reading, rate
from protocols.prices.version import Hours, LongContext, Tariff

THOUSANDTH = -3
V1_LACKS = frozenset({"cache_write_1h_mtok", "web_searches_kcount"})
"""The frozen v1 file has none of these in all its providers."""
SEARCHES = UNITS | {"requests_kcount": "search_unit", "input_document_kpages": "pages"}


def read(text: bytes, today: date) -> Reading:
    """Raises SourceFailed for a file that cannot be believed as a whole."""
    reading = Reading([])
    seen: set[str] = set()
    for told in rows(parse(text), "the file"):
        provider = table(told, "a provider")
        if not isinstance(provider.get("id"), str):
            raise SourceFailed("a provider has no id")
        for model in rows(provider.get("models"), f"models of {provider['id']}"):
            _read_model(reading, provider["id"], table(model, "a model"), today, seen)
    if not seen & V1_LACKS:
        raise SourceFailed("this is the frozen v1 file; its successor is prices/new_data/v2")
    enough(len(reading.offers))
    return reading


def _read_model(
    reading: Reading, provider: str, model: Mapping[str, Any], today: date, seen: set[str]
) -> None:
    label = f"{provider}/{model.get('id')}"
    try:
        periods = _periods(model["prices"])
        for price, _, _ in periods:
            seen.update(price)
            _believable(price)
        names = [str(model["id"]), *_spelt(model.get("match") or {})]
        variants = model.get("price_variants") or ()
        for name in dict.fromkeys(without_path(name) for name in names):
            if provider == "google" and name.startswith("claude"):
                continue  # Vertex serves it, at Vertex's price
            reading.offers += _offers(provider, name, periods, variants, today)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reading.rejected[label] = why(error)


Period = tuple[Mapping[str, Any], date | None, tuple[int, int] | None]
"""Rates, from which day, at which minutes of the day."""


def _periods(told: Any) -> list[Period]:
    if isinstance(told, dict):
        return [(told, None, None)]
    return [(one["prices"], *_constraint(one.get("constraint") or {})) for one in told]


def _constraint(told: Mapping[str, Any]) -> tuple[date | None, tuple[int, int] | None]:
    if "start_date" in told:
        return date.fromisoformat(told["start_date"]), None
    if "start_time" in told:
        return None, (_minutes(told["start_time"]), _minutes(told["end_time"]))
    if told:
        raise ValueError(f"an unknown constraint {sorted(told)}")
    return None, None


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")[:2]
    if not clock.endswith(("+00:00", "Z")):
        raise ValueError(f"{clock} is not in UTC")
    return int(hours) * 60 + int(minutes)


def _believable(price: Mapping[str, Any]) -> None:
    for name, value in price.items():
        told = (
            [value["base"], *(t["price"] for t in value["tiers"])]
            if isinstance(value, dict)
            else [value]
        )
        for one in told:
            doubt = unbelievable(one)
            if doubt is not None:
                raise ValueError(f"{name}: {doubt}")


def _offers(
    provider: str, model: str, periods: list[Period], variants: Any, today: date
) -> Iterator[Offer]:
    """The price of today, with its hours, and those that are announced."""
    dated = [(price, start) for price, start, hours in periods if hours is None]
    now = [(price, start) for price, start in dated if start is None or start <= today]
    windows = [(price, hours) for price, _, hours in periods if hours is not None]
    if now:
        price, _ = now[-1]
        yield from _offer(provider, model, price, _modes(variants, today), _hours(windows))
    for price, start in dated:
        if start is not None and start > today:
            for offer in _offer(provider, model, price, {}, ()):
                offer.starts = start
                yield offer


def _offer(
    provider: str,
    model: str,
    price: Mapping[str, Any],
    modes: dict[str, Tariff],
    hours: tuple[Hours, ...],
) -> Iterator[Offer]:
    tariff = _tariff(price)
    units = {kind: rate(price.get(name), THOUSANDTH) for name, kind in SEARCHES.items()}
    known = {kind: amount for kind, amount in units.items() if amount}
    if provider == "openrouter":
        tariff = tariff.without({"cache_read"})  # OpenRouter's own, rounded to cents
    if "input" in tariff.rates or (known and not tariff.rates):
        yield Offer(
            provider=provider_name(provider),
            model=model,
            rates=dict(tariff.rates),
            unit_rates=known,
            long_context=tariff.long_context,
            modes=modes,
            hours=hours,
            chat="output" in tariff.rates,
        )


def _hours(windows: list[tuple[Mapping[str, Any], tuple[int, int]]]) -> tuple[Hours, ...]:
    return tuple(Hours(start, end, _tariff(price)) for price, (start, end) in windows)


def _tariff(price: Mapping[str, Any]) -> Tariff:
    rates: dict[str, Decimal] = {}
    tiers: dict[int, dict[str, Decimal]] = {}
    for name, kind in KINDS.items():
        value = price.get(name)
        base = rate(value["base"] if isinstance(value, dict) else value)
        if base is not None and (base or kind in {"input", "output"}):
            rates[kind] = base
        for tier in value["tiers"] if isinstance(value, dict) else ():
            tiers.setdefault(int(tier["start"]), {})[kind] = rate(tier["price"]) or Decimal(0)
    long: LongContext | None = None
    for start in sorted(tiers, reverse=True):
        inclusive = str(start).endswith("999")  # 199999 means from 200000 on
        long = LongContext(start + inclusive, tiers[start], inclusive, long)
    return Tariff(rates, long)


def _modes(variants: Any, today: date) -> dict[str, Tariff]:
    """Rates of the modes whose variant is in force and stands alone; the last one counts."""
    modes: dict[str, tuple[date, Tariff]] = {}
    for variant in variants:
        when = variant["when"]
        mode = when.get("processing") or when.get("service_tier") or when.get("speed")
        started = (variant.get("constraint") or {}).get("start_date")
        start = date.min if started is None else date.fromisoformat(started)
        tariff = _tariff(variant["prices"])
        alone = len(when) == 1 and bool(mode) and bool(tariff.rates)
        if alone and start <= today and start >= modes.get(str(mode), (date.min,))[0]:
            modes[str(mode)] = (start, tariff)
    return {mode: tariff for mode, (_, tariff) in modes.items()}


def _spelt(rule: Mapping[str, Any]) -> Iterator[str]:
    """The names a rule spells out whole."""
    if isinstance(rule.get("equals"), str):
        yield rule["equals"]
    for inner in rule.get("or") or ():
        yield from _spelt(inner)
