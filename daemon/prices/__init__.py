"""The price book that comes with the daemon: dated, trimmed, with its provenance."""

import json
from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Any

from protocols.prices import LongContext, PriceBook, PriceVersion, Provenance, Tariff


def load_book() -> PriceBook:
    """Read the embedded book."""
    return read_book(files(__name__).joinpath("book.json").read_bytes())


def read_book(text: bytes) -> PriceBook:
    """Make a price book of the file `daemon.prices.build_book` writes."""
    told = json.loads(text, parse_float=Decimal)
    return PriceBook(
        (
            _version((provider, model), row, told["dated"], told["states"])
            for provider, models in told["models"].items()
            for model, row in models.items()
        ),
        told["dated"],
        aliases={
            (provider, alias): model
            for provider, aliases in told["aliases"].items()
            for alias, model in aliases.items()
        },
        provenance=Provenance(
            tuple(told["sources"]), told["disputed"], told["rejected"], told["counts"]
        ),
    )


def _version(
    key: tuple[str, str], row: Mapping[str, Any], dated: str, states: Mapping[str, str]
) -> PriceVersion:
    provider, model = key
    standard = _tariff(row)
    modes = {name: _mode(standard, told) for name, told in row.get("modes", {}).items()}
    return PriceVersion(
        id=f"{provider}/{model}@{dated}",
        provider=provider,
        model=model,
        rates=standard.rates,
        unit_rates=_decimals(row.get("fees", {})),
        long_context=standard.long_context,
        modes=modes,
        regions=_decimals(row.get("regions", {})),
        max_output_tokens=row.get("max_output"),
        source=states[row["state"]],
        chat=bool(row.get("chat", 1)),
        free=bool(row.get("free", 0)),
        estimated=bool(row.get("peak", 0)),
    )


def _tariff(row: Mapping[str, Any]) -> Tariff:
    told = row.get("long")
    if told is None:
        return Tariff(_decimals(row["rates"]))
    threshold, inclusive = told.get("from", told.get("over")), "from" in told
    return Tariff(
        _decimals(row["rates"]), LongContext(threshold, _decimals(told["rates"]), inclusive)
    )


def _mode(standard: Tariff, told: Any) -> Tariff:
    """Read a factor on the standard tariff, or rates of its own."""
    return _tariff(told) if isinstance(told, dict) else standard.times(Decimal(told))


def _decimals(rates: Mapping[str, Any]) -> dict[str, Decimal]:
    return {kind: Decimal(rate) for kind, rate in rates.items()}
