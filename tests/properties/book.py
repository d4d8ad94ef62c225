"""A small price book with awkward rates, made by hand from the model's figures."""

from decimal import Decimal

from protocols.prices import PriceBook, PriceVersion
from tests.properties.sums import RATES

PROVIDERS = {"small": "openai", "large": "openai", "mystery": "openai", "tiny": "local"}
"""`mystery` is of a provider we know and has no price; `local` is declared free."""


def book() -> PriceBook:
    versions = [
        PriceVersion(
            id=f"openai/{model}@1",
            provider="openai",
            model=model,
            rates={kind: Decimal(rate) for kind, rate in RATES[model].items()},
        )
        for model in ("small", "large")
    ]
    return PriceBook(versions, "2026-01-01").with_free(["local"])
