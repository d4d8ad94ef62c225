"""A price version as plain JSON values, so that the journal can keep the rates it booked with."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from protocols.prices.book import PriceBook
from protocols.prices.version import Hours, LongContext, PriceVersion, Rates, Tariff


class PricesChanged:
    """A new book is in force. Told to the policy engine and every ledger."""

    __slots__ = ("book",)

    def __init__(self, book: PriceBook) -> None:
        self.book = book


def to_body(version: PriceVersion) -> dict[str, Any]:
    """Everything that decides a cost; `from_body` reads it back."""
    return {
        "provider": version.provider,
        "model": version.model,
        **_tariff(version.tariff),
        "unit_rates": _rates(version.unit_rates),
        "modes": {name: _tariff(tariff) for name, tariff in version.modes.items()},
        "regions": _rates(version.regions),
        "hours": [_hours(hours) for hours in version.hours],
        "source": version.source,
        "chat": version.chat,
        "max_output_tokens": version.max_output_tokens,
        "free": version.free,
        "estimated": version.estimated,
    }


def from_body(version_id: str, body: Mapping[str, Any]) -> PriceVersion:
    standard = _read_tariff(body)
    return PriceVersion(
        id=version_id,
        provider=body["provider"],
        model=body["model"],
        rates=standard.rates,
        long_context=standard.long_context,
        unit_rates=_read_rates(body["unit_rates"]),
        modes={name: _read_tariff(tariff) for name, tariff in body["modes"].items()},
        regions=_read_rates(body["regions"]),
        hours=tuple(_read_hours(hours) for hours in body.get("hours", ())),
        source=body["source"],
        chat=body.get("chat", True),
        max_output_tokens=body.get("max_output_tokens"),
        free=body["free"],
        estimated=body["estimated"],
    )


def _rates(rates: Rates) -> dict[str, str]:
    return {kind: str(rate) for kind, rate in rates.items()}


def _read_rates(body: Mapping[str, str]) -> dict[str, Decimal]:
    return {kind: Decimal(text) for kind, text in body.items()}


def _tariff(tariff: Tariff) -> dict[str, Any]:
    return {"rates": _rates(tariff.rates), "long_context": _long(tariff.long_context)}


def _read_tariff(body: Mapping[str, Any]) -> Tariff:
    return Tariff(_read_rates(body["rates"]), _read_long(body["long_context"]))


def _long(tier: LongContext | None) -> dict[str, Any] | None:
    if tier is None:
        return None
    body = {"threshold": tier.threshold, "inclusive": tier.inclusive, "rates": _rates(tier.rates)}
    return body if tier.beyond is None else {**body, "beyond": _long(tier.beyond)}


def _read_long(body: Mapping[str, Any] | None) -> LongContext | None:
    if body is None:
        return None
    return LongContext(
        body["threshold"], _read_rates(body["rates"]), body["inclusive"],
        _read_long(body.get("beyond")),
    )  # fmt: skip


def _hours(hours: Hours) -> dict[str, Any]:
    return {
        "starts_min": hours.starts_min,
        "ends_min": hours.ends_min,
        "weekdays": sorted(hours.weekdays),
        "tariff": _tariff(hours.tariff),
    }


def _read_hours(body: Mapping[str, Any]) -> Hours:
    return Hours(
        body["starts_min"], body["ends_min"], _read_tariff(body["tariff"]),
        frozenset(body["weekdays"]),
    )  # fmt: skip
