"""The golden table against genai-prices: its reading of a usage and its engine, at our rates.

Where it comes to another figure, the reason stands below, one for each group of cases. A difference
that is not explained fails, and so does an explanation that no longer has a difference.
"""

from decimal import Decimal
from typing import Any

import genai_prices
from genai_prices.types import ModelPrice, Tier, TieredPrices

from tests.golden import workout

VERSIONS, CASES = workout.load()
FLAVOURS = {
    "openai chat": ("openai", "chat"), "openai audio": ("openai", "chat"),
    "openai responses": ("openai", "responses"), "openai embeddings": ("openai", "embeddings"),
    "openai realtime": ("openai", "realtime"), "openai image": ("openai", "images"),
    "anthropic": ("anthropic", "default"), "gemini": ("google", "default"),
    "bedrock": ("aws", "default"), "mistral": ("mistral", "default"), "groq": ("groq", "default"),
    "cohere": ("cohere", "default"), "xai chat": ("x-ai", "chat"),
    "xai at random": ("x-ai", "chat"),
    "xai responses": ("x-ai", "responses"), "deepseek": ("deepseek", "chat"),
    "perplexity": ("perplexity", "default"), "openrouter": ("openrouter", "chat"),
}  # fmt: skip
"""How a case's name begins → its provider there, and which of its readers."""
KINDS = {
    "input": "input_mtok", "output": "output_mtok", "cache_read": "cache_read_mtok",
    "cache_write_5m": "cache_write_mtok", "cache_write_1h": "cache_write_1h_mtok",
    "input_audio": "input_audio_mtok", "output_audio": "output_audio_mtok",
    "input_image": "input_image_mtok", "output_image": "output_image_mtok",
    "cache_read_audio": "cache_audio_read_mtok", "cache_read_image": "cache_image_read_mtok",
    "reasoning": "output_reasoning_mtok", "citation": "output_citation_mtok",
}  # fmt: skip


MODELS = {
    "openai": "gpt-4o", "anthropic": "claude-sonnet-4-5", "google": "gemini-2.5-pro",
    "aws": "anthropic.claude-sonnet-4-5-20250929-v1:0", "mistral": "mistral-large-latest",
    "groq": "llama-3.3-70b-versatile", "cohere": "command-a-03-2025", "x-ai": "grok-4",
    "deepseek": "deepseek-chat", "perplexity": "sonar-pro", "openrouter": "openai/gpt-4o",
}  # fmt: skip
"""It reads only what names a model it knows; the price is ours all the same."""


def flavour(name: str) -> tuple[str, str] | None:
    fits = [start for start in FLAVOURS if name.startswith(start)]
    return FLAVOURS[max(fits, key=len)] if fits else None


COMPARED = [case for case in CASES if flavour(case["name"]) is not None]


def theirs(case: dict[str, Any]) -> Decimal | None:
    """What it makes of the same object at the same rates; None where it cannot read it."""
    provider, api_flavor = flavour(case["name"]) or ("", "")
    raw = {**case["usage"], "model": MODELS[provider], "modelVersion": MODELS[provider]}
    try:
        found = genai_prices.extract_usage(raw, provider_id=provider, api_flavor=api_flavor)
        price = ModelPrice(**rates(case))
        return Decimal(price.calc_price(found.usage)["total_price"])
    except (ValueError, LookupError):
        return None


def rates(case: dict[str, Any]) -> dict[str, Any]:
    """Our version in its words, in the case's mode, hour and region as far as it has words."""
    version = VERSIONS[case["version"]]
    mode = case.get("mode") or case.get("billed_mode") or "standard"
    table = version if mode == "standard" else version["modes"][mode]
    base = workout.by_the_hour(version, case.get("at")) or table["rates"]
    told: dict[str, Any] = {}
    for kind, name in KINDS.items():
        if kind not in base:
            continue
        tiers = [
            Tier(start=tier["over"] if "over" in tier else tier["from"] - 1,
                 price=Decimal(tier["rates"][kind]))
            for tier in table.get("tiers", ()) if kind in tier["rates"]
        ]  # fmt: skip
        rate = Decimal(base[kind])
        told[name] = TieredPrices(base=rate, tiers=tiers) if tiers else rate
    if "web_search" in version.get("units", {}):
        told["web_searches_kcount"] = Decimal(version["units"]["web_search"]) * 1000
    return told


EXPLAINED = {
    "openai chat region eu": "it knows no region's factor: ours is 1.1 times",
    "anthropic opus in the us": "it knows no region's factor: ours is 1.1 times",
    "openai responses 2": "it does not count searches among the items of the answer",
    "openai responses 3": "the same, and it has no rate for cache writes of twelve hours",
    "openai responses flex": "it does not count searches among the items of the answer",
    "openai responses priority": "it does not count searches among the items of the answer",
    "openai image": "it wants a rate for cached pictures, of which there are none",
    "anthropic compaction": "it does not see iterations: the compaction would be free",
    "anthropic stream start": "it reads whole answers only, not the opening event",
    "gemini flex": "it wants to be told that none of the cached tokens is audio",
    "gemini live": "it does not read the Live API's responseTokenCount: the output would be free",
    "bedrock stream": "it reads whole answers only, not the metadata event",
    "groq stream": "it reads whole answers only, not the last chunk",
    "cohere stream": "it reads whole answers only, not the last event",
    "cohere rerank": "it does not read the search units of a rerank",
    "mistral audio": "it does not charge seconds of audio in the prompt",
    "deepseek": "it charges cache hits as fresh input: it does not read prompt_cache_hit_tokens",
    "perplexity pro": "it does not charge the fee by the size of the search context",
}
"""Why it differs: how the cases' names begin → the reason."""


def test_every_difference_is_explained_and_every_explanation_has_one() -> None:
    found = {
        case["name"]: (theirs(case), Decimal(case["expected_usd"]))
        for case in COMPARED
        if theirs(case) != Decimal(case["expected_usd"])
    }
    unexplained = {
        name: figures
        for name, figures in found.items()
        if not any(name.startswith(start) for start in EXPLAINED)
    }
    assert unexplained == {}
    idle = [start for start in EXPLAINED if not any(name.startswith(start) for name in found)]
    assert idle == []


def test_most_cases_are_compared_and_most_agree() -> None:
    assert len(COMPARED) >= 180
    agreed = sum(theirs(case) == Decimal(case["expected_usd"]) for case in COMPARED)
    assert agreed >= 160, agreed
