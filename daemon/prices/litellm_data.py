"""LiteLLM's price file, read as data. The package itself is never imported."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from protocols.prices import LongContext, Tariff, provider_name, without_path
from protocols.prices.offer import MILLION, Offer, rate

PROVIDERS = {
    "ai21": "ai21",
    "amazon_nova": "amazon-nova",
    "anthropic": "anthropic",
    "azure": "azure",
    "azure_ai": "azure-ai",
    "bedrock": "bedrock",
    "bedrock_converse": "bedrock",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "deepseek": "deepseek",
    "fireworks_ai": "fireworks",
    "fireworks_ai-embedding-models": "fireworks",
    "gemini": "google",
    "groq": "groq",
    "inception": "inception",
    "meta": "meta",
    "minimax": "minimax",
    "mistral": "mistral",
    "moonshot": "moonshot",
    "morph": "morph",
    "openai": "openai",
    "perplexity": "perplexity",
    "sambanova": "sambanova",
    "text-completion-openai": "openai",
    "together_ai": "together",
    "voyage": "voyage",
    "xai": "xai",
    "zai": "zai",
}
VERTEX = "vertex_ai"
PREFIXED_ONLY = frozenset({"together_ai", "fireworks_ai", "fireworks_ai-embedding-models"})
"""Their bare keys are size classes ("up to 8b"), not models."""
BY_REGION = frozenset({"azure", "bedrock"})
"""Their keys with a further slash are a region's or a commitment's price, not a model."""
CHAT = frozenset({"chat", "responses", "completion", "realtime"})
MODES_READ = CHAT | {"embedding", "image_generation", "audio_transcription"}
INCLUSIVE = frozenset({"xai"})
"""Their long-context threshold already counts as long."""

KINDS = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "output_cost_per_reasoning_token": "reasoning",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write_5m",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "cache_creation_input_token_cost_above_12hr": "cache_write_12h",
    "input_cost_per_audio_token": "input_audio",
    "output_cost_per_audio_token": "output_audio",
    "input_cost_per_image_token": "input_image",
    "output_cost_per_image_token": "output_image",
    "input_cost_per_video_token": "input_video",
    "cache_read_input_audio_token_cost": "cache_read_audio",
    "cache_read_input_image_token_cost": "cache_read_image",
    "citation_cost_per_token": "citation",
}
SUFFIXES = {None: "standard", "batches": "batch", "flex": "flex", "priority": "priority"}
_FIELD = re.compile(
    rf"({'|'.join(sorted(KINDS, key=len, reverse=True))})"
    r"(?:_above_(\d+)k_tokens)?(?:_(batches|flex|priority))?"
)


def offers(table: Mapping[str, Any]) -> Iterator[Offer]:
    """Every token-priced model of a provider we list."""
    for key, entry in table.items():
        named = _named(key, entry)
        if named is None or entry.get("mode") not in MODES_READ or "*" in key:
            continue
        offer = _offer(*named, entry)
        if offer is not None:
            yield offer


def offer(key: str, entry: Mapping[str, Any]) -> Offer | None:
    """One token-priced model of any provider the file names, ours or not."""
    spelt = named(key, entry)
    if spelt is None or entry.get("mode") not in MODES_READ:
        return None
    return _offer(*spelt, entry)


def standard_rates(entry: Mapping[str, Any]) -> dict[str, Decimal]:
    """The rates of ordinary requests, per million tokens."""
    return _tables(entry).get(("standard", 0), {})


def named(key: str, entry: Mapping[str, Any]) -> tuple[str, str] | None:
    """As `_named`, with a provider we do not list under its own name."""
    return _named(key, entry, provider_name(str(entry["litellm_provider"])))


def _named(key: str, entry: Mapping[str, Any], other: str | None = None) -> tuple[str, str] | None:
    """Spell provider and model our way. `litellm_provider` is the truth, not the prefix."""
    theirs = str(entry.get("litellm_provider"))
    ours = PROVIDERS.get(theirs) or ("vertex" if theirs.startswith(VERTEX) else other)
    first, slash, rest = key.partition("/")
    prefixes = {theirs, theirs.partition("-")[0].removesuffix("_converse")}
    model = rest if slash and first in prefixes else key
    if ours is None or (theirs in PREFIXED_ONLY and model == key):
        return None
    if ours in BY_REGION and "/" in model:
        return None
    return ours, without_path(model)


def _offer(provider: str, model: str, entry: Mapping[str, Any]) -> Offer | None:
    tables = _tables(entry)
    standard = _tariff(tables, "standard", provider)
    if standard is None or "input" not in standard.rates:
        return None
    chat = entry["mode"] in CHAT
    if chat and "output" not in standard.rates:
        return None
    if not chat and not standard.rates.get("output"):
        standard = standard.without({"output"})
    modes = {name: _tariff(tables, name, provider) for name in ("batch", "flex", "priority")}
    if "output" not in standard.rates:
        modes = {name: t and t.without({"output"}) for name, t in modes.items()}
    special = entry.get("provider_specific_entry") or {}
    if "fast" in special:
        modes["fast"] = standard.times(Decimal(special["fast"]))
    limit = entry.get("max_output_tokens")
    return Offer(
        provider=provider,
        model=model,
        rates=dict(standard.rates),
        unit_rates=_unit_rates(provider, entry),
        long_context=standard.long_context,
        modes={name: tariff for name, tariff in modes.items() if tariff is not None},
        regions=_regions(entry, special),
        max_output_tokens=limit if type(limit) is int and limit > 0 else None,
        chat=chat,
        peak="off_peak_pricing" in entry,
    )


Tables = dict[tuple[str, int], dict[str, Decimal]]


def _tables(entry: Mapping[str, Any]) -> Tables:
    """Rates per million by mode and threshold; 0 is the threshold of ordinary requests."""
    tables: Tables = {}
    for name, value in entry.items():
        found = _FIELD.fullmatch(name)
        amount = rate(value, MILLION)
        if found is None or amount is None:
            continue
        kind, threshold = KINDS[found[1]], int(found[2] or 0) * 1000
        if amount or kind in {"input", "output"}:
            tables.setdefault((SUFFIXES[found[3]], threshold), {})[kind] = amount
    return tables


def _tariff(tables: Tables, mode: str, provider: str) -> Tariff | None:
    """One mode's rates. None where there are none."""
    rates = tables.get((mode, 0))
    thresholds = sorted((at for name, at in tables if name == mode and at), reverse=True)
    if rates is None:
        return None
    long = None
    for threshold in thresholds:
        known = {kind: value for kind, value in tables[mode, threshold].items() if kind in rates}
        long = LongContext(threshold, known, provider in INCLUSIVE, long)
    return Tariff(rates, long)


def _unit_rates(provider: str, entry: Mapping[str, Any]) -> dict[str, Decimal]:
    """Web searches: by the size of the context at Perplexity, else only where size is all one."""
    told = entry.get("search_context_cost_per_query") or {}
    sizes = {name.rpartition("_")[2]: rate(value) for name, value in told.items()}
    known = {size: amount for size, amount in sizes.items() if amount}
    if len(set(known.values())) == 1 and len(known) == len(sizes):
        return {"web_search": next(iter(known.values()))}
    if provider == "perplexity":
        return {f"search_{size}": amount for size, amount in known.items()}
    return {}


def _regions(entry: Mapping[str, Any], special: Mapping[str, Any]) -> dict[str, Decimal]:
    told = {"us": special.get("us")}
    for region in ("eu", "us"):
        told[region] = entry.get(
            f"regional_processing_uplift_multiplier_{region}", told.get(region)
        )
    return {region: Decimal(value) for region, value in told.items() if value is not None}
