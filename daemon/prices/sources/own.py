"""A price list of the operator's own, in TOML; `docs/prices.md` shows one.

[[price]]
provider = "acme"
model    = "acme-large"
input    = "3.00"        # USD per million tokens
output   = "15.00"
cache_read = "0.30"      # any kind of tokens
web_search = "0.01"      # any kind by the piece: USD for one
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from actors.ports import SourceFailed
from protocols.prices import provider_name, without_path
from protocols.prices.offer import Offer, Reading
from protocols.prices.version import LongContext, Tariff
from protocols.usage import MODES, TOKEN_KINDS, UNIT_KINDS

ABOUT = frozenset({"provider", "model", "long_context", "max_output_tokens", "starts", *MODES[1:]})


def read(text: bytes, today: date) -> Reading:
    """Raises SourceFailed naming the row and the field: a person wrote it and can mend it."""
    try:
        told = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceFailed(f"not a TOML file: {error}") from error
    unknown = told.keys() - {"price"}
    if unknown or not isinstance(told.get("price"), list):
        raise SourceFailed("it should hold [[price]] tables and nothing else")
    offers = [_offer(row, place) for place, row in enumerate(told["price"], 1)]
    return Reading(list(_on(today, offers)))


def _on(today: date, offers: Sequence[Offer]) -> Iterator[Offer]:
    """What is in force today and what is announced: a row replaces those that started before it."""
    since: dict[tuple[str, str], date] = {}
    for offer in offers:
        starts = offer.starts or date.min
        if starts <= today:
            key = (offer.provider, offer.model)
            since[key] = max(starts, since.get(key, date.min))
    for offer in offers:
        starts = offer.starts or date.min
        if starts > today:
            yield offer
        elif starts == since[offer.provider, offer.model]:
            yield replace(offer, starts=None)


def _offer(row: Mapping[str, Any], place: int) -> Offer:
    where = f"price {place}"
    for name in ("provider", "model"):
        if not isinstance(row.get(name), str) or not row[name]:
            raise SourceFailed(f"{where}: {name} is missing")
    where = f"{where} ({row['provider']}/{row['model']})"
    for name in row.keys() - ABOUT - TOKEN_KINDS - UNIT_KINDS:
        raise SourceFailed(f"{where}: there is no field {name}")
    starts = row.get("starts")
    if starts is not None and type(starts) is not date:
        raise SourceFailed(f"{where}: starts should be a day such as 2027-01-01")
    rates = _rates(row, TOKEN_KINDS, where)
    units = _rates(row, UNIT_KINDS, where)
    if not rates and not units:
        raise SourceFailed(f'{where}: it has no rate, such as input = "3.00"')
    return Offer(
        provider=provider_name(row["provider"]),
        model=without_path(row["model"]),
        rates=rates,
        unit_rates=units,
        long_context=_long(row.get("long_context"), where),
        modes={
            mode: Tariff(_rates(row[mode], TOKEN_KINDS, f"{where} {mode}"))
            for mode in MODES[1:]
            if mode in row
        },
        max_output_tokens=row.get("max_output_tokens"),
        chat="output" in rates,
        starts=starts,
    )


def _rates(row: Mapping[str, Any], kinds: frozenset[str], where: str) -> dict[str, Decimal]:
    return {kind: _rate(row[kind], f"{where}: {kind}") for kind in sorted(kinds & row.keys())}


def _rate(value: object, where: str) -> Decimal:
    if not isinstance(value, str):
        raise SourceFailed(f'{where} should be USD in quotes, such as "3.00"')
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise SourceFailed(f"{where}: {value!r} is not a number") from None
    if not amount.is_finite() or amount < 0:
        raise SourceFailed(f"{where}: {value} is no amount of USD")
    return amount


def _long(told: Any, where: str) -> LongContext | None:
    if told is None:
        return None
    threshold = told.get("over", told.get("from")) if isinstance(told, dict) else None
    if type(threshold) is not int or threshold < 1:
        raise SourceFailed(f"{where}: long_context needs over = 200000 (or from = 200000)")
    rates = _rates(told, TOKEN_KINDS, f"{where} long_context")
    return LongContext(threshold, rates, inclusive="from" in told)
