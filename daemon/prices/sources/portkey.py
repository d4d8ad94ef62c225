"""Portkey's price files as a source: one file for each provider, in US cents per token."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from daemon.prices.sources.parse import parse, table, unbelievable, why
from protocols.prices import provider_name, without_path
from protocols.prices.offer import Offer, Reading, rate
from protocols.prices.version import LongContext, Tariff

PROVIDERS = (
    "anthropic", "cerebras", "cohere", "deepseek", "google", "groq", "minimax", "mistral-ai",
    "moonshot", "openai", "perplexity-ai", "x-ai", "z-ai",
)  # fmt: skip
"""The files that are fetched."""
NAMES = {"perplexity-ai": "perplexity"}
CENTS_PER_TOKEN = 4
"""As a power of ten: from cents for one to dollars for a million."""
CENTS = -2
KINDS = {
    "request_token": "input",
    "response_token": "output",
    "cache_read_input_token": "cache_read",
    "cache_write_input_token": "cache_write_5m",
    "request_audio_token": "input_audio",
    "response_audio_token": "output_audio",
}
THRESHOLDS = {128: 128_000, 200: 200_000}
INPUT_MAX = Decimal(1000)
"""Per million: above it a price by the second or the search sits in a token's place."""


def read_provider(provider: str, text: bytes, today: date) -> Reading:
    """Raises SourceFailed for a file that cannot be believed as a whole."""
    del today  # everything in the file is in force
    reading = Reading([])
    models = table(parse(text), "the file")
    owner = NAMES.get(provider, provider_name(provider))
    for name, entry in models.items():
        if name == "default":
            continue
        try:
            offer = _offer(owner, name, entry, models)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reading.rejected[f"{provider}/{name}"] = why(error)
            continue
        if offer is not None:
            reading.offers.append(offer)
    return reading


def _offer(
    provider: str, name: str, entry: Mapping[str, Any], models: Mapping[str, Any]
) -> Offer | None:
    model = name.removesuffix("-lte-128k").removesuffix("-lte-200k")
    if "-gt-" in name:
        return None  # a tier, read with its model
    told = entry["pricing_config"]
    rates = _rates(told.get("pay_as_you_go") or {})
    if "input" not in rates or not any(rates.values()):
        return None  # 0 fills what nobody looked up
    if rates["input"] > INPUT_MAX:
        raise ValueError(f"{rates['input']:f} USD per million is a price of something else")
    batch = _rates(told.get("batch_config") or {})
    extra = told.get("pay_as_you_go", {}).get("additional_units", {})
    search = rate(extra.get("web_search", {}).get("price"), CENTS)
    hour = rate(extra.get("cache_write_1h", {}).get("price"), CENTS_PER_TOKEN)
    if hour:
        rates["cache_write_1h"] = hour
    return Offer(
        provider=provider,
        model=without_path(model),
        rates=rates,
        unit_rates={"web_search": search} if search else {},
        long_context=_long(model, models),
        modes={"batch": Tariff(batch)} if batch.get("input") else {},
        chat=bool(rates.get("output")),
    )


def _rates(told: Mapping[str, Any]) -> dict[str, Decimal]:
    """Zero is a filler everywhere but in both main prices at once."""
    rates: dict[str, Decimal] = {}
    for name, kind in KINDS.items():
        price = (told.get(name) or {}).get("price")
        doubt = unbelievable(price)
        if doubt is not None:
            raise ValueError(f"{name}: {doubt}")
        amount = rate(price, CENTS_PER_TOKEN)
        if amount:
            rates[kind] = amount
    return rates


def _long(model: str, models: Mapping[str, Any]) -> LongContext | None:
    for size, threshold in THRESHOLDS.items():
        tier = models.get(f"{model}-gt-{size}k")
        if tier is not None:
            told = tier["pricing_config"].get("pay_as_you_go") or {}
            return LongContext(threshold, _rates(told))
    return None
