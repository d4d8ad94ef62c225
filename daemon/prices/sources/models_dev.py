"""models.dev's api.json as a source."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from daemon.prices.sources.parse import enough, parse, table, unbelievable, why
from protocols.prices import provider_name, without_path
from protocols.prices.offer import Offer, Reading, rate
from protocols.prices.version import LongContext, Tariff

KINDS = {
    "input": "input",
    "output": "output",
    "reasoning": "reasoning",
    "cache_read": "cache_read",
    "cache_write": "cache_write_5m",
    "input_audio": "input_audio",
    "output_audio": "output_audio",
}
PLANS = ("-coding-plan", "-token-plan", "-for-coding", "github-copilot", "github-models")
"""Subscriptions: their 0 is a flat fee's, and nobody's price for tokens."""
LEGACY_THRESHOLD = 200_000


def read(text: bytes, today: date) -> Reading:
    """Raises SourceFailed for a file that cannot be believed as a whole."""
    del today  # everything in the file is in force
    reading = Reading([])
    for name, told in table(parse(text), "the file").items():
        if any(plan in name for plan in PLANS):
            continue
        provider = table(told, f"provider {name}")
        for model, entry in table(provider.get("models", {}), f"models of {name}").items():
            try:
                offer = _offer(name, model, entry)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                reading.rejected[f"{name}/{model}"] = why(error)
                continue
            if offer is not None:
                reading.offers.append(offer)
    enough(len(reading.offers))
    return reading


def _offer(provider: str, model: str, entry: Mapping[str, Any]) -> Offer | None:
    cost = entry.get("cost")
    if not cost:
        return None
    rates = _rates(cost)
    if "input" not in rates:
        return None
    writes = entry.get("modalities", {}).get("output", ["text"])
    if "image" in writes and "output" in rates:  # what stands in `output` is the image's price
        rates["output_image"] = rates.pop("output")
    if provider == "openrouter":
        rates.pop("cache_read", None)  # OpenRouter's own, rounded to cents
    fast = entry.get("experimental", {}).get("modes", {}).get("fast", {}).get("cost")
    limit = entry.get("limit", {}).get("output")
    return Offer(
        provider=provider_name(provider),
        model=without_path(model),
        rates=rates,
        long_context=_long(cost),
        modes={"fast": Tariff(_rates(fast))} if fast else {},
        max_output_tokens=limit if isinstance(limit, int) and limit > 0 else None,
        chat="text" in writes and bool(rates.get("output") or rates.get("input") == 0),
    )


def _rates(cost: Mapping[str, Any]) -> dict[str, Decimal]:
    rates: dict[str, Decimal] = {}
    for name, kind in KINDS.items():
        doubt = unbelievable(cost.get(name))
        if doubt is not None:
            raise ValueError(f"{name}: {doubt}")
        amount = rate(cost.get(name))
        if amount is not None and (amount or kind in {"input", "output"}):
            rates[kind] = amount
    return rates


def _long(cost: Mapping[str, Any]) -> LongContext | None:
    """Read `tiers`; their sizes are off by one here and there. Older files have one field only."""
    tiers = [(int(t["tier"]["size"]), t) for t in cost.get("tiers") or () if _by_context(t)]
    if not tiers and cost.get("context_over_200k"):
        tiers = [(LEGACY_THRESHOLD, cost["context_over_200k"])]
    long: LongContext | None = None
    for size, told in sorted(tiers, key=lambda tier: -tier[0]):
        threshold = size - 1 if size % 1000 == 1 else size
        long = LongContext(threshold, _rates(told), beyond=long)
    return long


def _by_context(tier: Mapping[str, Any]) -> bool:
    return bool(tier["tier"].get("type", "context") == "context")
