"""A price version as plain JSON values, so that the journal can keep the rates it booked with."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from protocols.prices.book import PriceBook
from protocols.prices.version import LongContext, PriceVersion, Rates, Tariff


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
    long = tariff.long_context
    return {
        "rates": _rates(tariff.rates),
        "long_context": None if long is None else {
            "threshold": long.threshold, "inclusive": long.inclusive, "rates": _rates(long.rates),
        },
    }  # fmt: skip


def _read_tariff(body: Mapping[str, Any]) -> Tariff:
    long = body["long_context"]
    return Tariff(
        _read_rates(body["rates"]),
        None if long is None else LongContext(
            long["threshold"], _read_rates(long["rates"]), long["inclusive"]
        ),
    )  # fmt: skip
