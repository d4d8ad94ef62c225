"""The other providers' usage objects, one function each: what their numbers include.

Anthropic and Bedrock count cached tokens beside the input, Gemini inside it; Gemini counts
thoughts and tool prompts on top; of Cohere's figures only `billed_units` costs.
"""

from protocols.usage.kinds import KINDS, TOKEN_KINDS
from protocols.usage.openai import left
from protocols.usage.reader import Reader


def normalised(use: Reader, _provider: str | None) -> dict[str, int]:
    """Our own form: disjoint counts by kind."""
    use.skip("unrecognised")
    return {kind: use.count(kind) for kind in sorted(KINDS)}


def by_duration(use: Reader, _provider: str | None) -> dict[str, int]:
    """Transcriptions that are charged by the second."""
    use.skip("type")
    return {"seconds": use.count("seconds")}


def anthropic(use: Reader, provider: str | None) -> dict[str, int]:
    """Messages: `input_tokens` excludes the cache, `output_tokens` includes thinking.

    Where there are `iterations`, they are the whole truth: a compaction is not in the totals.
    One that another model answered is counted at this one's price, and its name is among the
    unrecognised.
    """
    rounds = use.rows("iterations")
    if not rounds:
        return _anthropic(use, provider)
    total = _anthropic(use, provider) | dict.fromkeys(TOKEN_KINDS, 0)
    for one in rounds:
        one.skip("type")
        for kind, count in _anthropic(one, provider).items():
            total[kind] = total.get(kind, 0) + count
    return total


def _anthropic(use: Reader, _provider: str | None) -> dict[str, int]:
    split = use.part("cache_creation")
    short, long = (
        split.count("ephemeral_5m_input_tokens"),
        split.count("ephemeral_1h_input_tokens"),
    )
    written = use.count("cache_creation_input_tokens") or short + long
    field = f"{use.path}.cache_creation_input_tokens"
    unsplit = left(written, field, short, long)
    thinking = use.part("output_tokens_details").count("thinking_tokens")
    tools = use.part("server_tool_use")
    tools.skip("web_fetch_requests")  # free of charge
    return {
        "input": use.count("input_tokens"),
        "cache_read": use.count("cache_read_input_tokens"),
        "cache_write_5m": short + unsplit,
        "cache_write_1h": long,
        "output": left(use.count("output_tokens"), f"{use.path}.output_tokens", thinking),
        "reasoning": thinking,
        "web_search": tools.count("web_search_requests"),
    }


def gemini(use: Reader, _provider: str | None) -> dict[str, int]:
    """`promptTokenCount` includes the cache; tool prompts and thoughts come on top."""
    use.skip("totalTokenCount", "total_token_count")
    prompt = use.count("promptTokenCount", "prompt_token_count")
    tool = use.count("toolUsePromptTokenCount", "tool_use_prompt_token_count")
    cached = use.count("cachedContentTokenCount", "cached_content_token_count")
    media = _media(use, "promptTokensDetails", "prompt_tokens_details")
    tool_media = _media(use, "toolUsePromptTokensDetails", "tool_use_prompt_tokens_details")
    cached_media = _media(use, "cacheTokensDetails", "cache_tokens_details")
    cached_media = cached_media or _cached_last(cached, prompt, media)
    field = f"{use.path}.promptTokenCount"
    left(prompt, field, cached)
    fresh = {}
    for medium in ("AUDIO", "IMAGE", "VIDEO"):
        kept = left(media.get(medium, 0), f"{field} ({medium})", cached_media.get(medium, 0))
        fresh[f"input_{medium.lower()}"] = kept + tool_media.get(medium, 0)
    known = {f"cache_read_{m.lower()}": cached_media.get(m, 0) for m in ("AUDIO", "IMAGE")}
    read = {"cache_read": left(cached, f"{field} (cached)", *known.values())} | known | fresh
    return read | _answered(use) | {"input": left(prompt + tool, field, *read.values())}


def _cached_last(cached: int, prompt: int, media: dict[str, int]) -> dict[str, int]:
    """Which medium was cached, where Gemini does not say: text first, then what must be."""
    rest = cached - left(prompt, "usage.promptTokensDetails", *_spoken(media).values())
    found = {}
    for medium, count in _spoken(media).items():
        found[medium] = max(0, min(count, rest))
        rest -= found[medium]
    return found


def _spoken(media: dict[str, int]) -> dict[str, int]:
    return {medium: media[medium] for medium in ("VIDEO", "IMAGE", "AUDIO") if medium in media}


def _answered(use: Reader) -> dict[str, int]:
    """Gemini's output side."""
    candidates = ("candidatesTokenCount", "candidates_token_count")
    live = ("responseTokenCount", "response_token_count")
    total = use.count(*candidates, *live)
    media = _media(use, "candidatesTokensDetails", "candidates_tokens_details")
    media |= _media(use, "responseTokensDetails", "response_tokens_details")
    audio, image = media.get("AUDIO", 0), media.get("IMAGE", 0)
    return {
        "output": left(total, f"{use.path}.candidatesTokenCount", audio, image),
        "output_audio": audio,
        "output_image": image,
        "reasoning": use.count("thoughtsTokenCount", "thoughts_token_count"),
    }


def _media(use: Reader, *names: str) -> dict[str, int]:
    """Gemini's counts by medium. Documents are read as text is."""
    found: dict[str, int] = {}
    for row in use.rows(*names):
        medium = row.text("modality") or "TEXT"
        found[medium] = found.get(medium, 0) + row.count("tokenCount", "token_count")
    return found


def bedrock(use: Reader, _provider: str | None) -> dict[str, int]:
    """Converse: the cache is counted beside `inputTokens`."""
    use.skip("totalTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount")
    by_lifetime: dict[str | None, int] = {}
    for row in use.rows("cacheDetails"):
        lifetime = row.text("ttl")
        by_lifetime[lifetime] = by_lifetime.get(lifetime, 0) + row.count("inputTokens")
    written = use.count("cacheWriteInputTokens") or sum(by_lifetime.values())
    long = by_lifetime.get("1h", 0)
    return {
        "input": use.count("inputTokens"),
        "cache_read": use.count("cacheReadInputTokens"),
        "cache_write_5m": left(written, f"{use.path}.cacheWriteInputTokens", long),
        "cache_write_1h": long,
        "output": use.count("outputTokens"),
    }


def cohere(use: Reader, _provider: str | None) -> dict[str, int]:
    """Only `billed_units` is charged; `tokens` is larger and free."""
    use.skip("tokens", "cached_tokens", "api_version", "warnings")
    billed = use.part("billed_units")
    return {
        "input": billed.count("input_tokens"),
        "output": billed.count("output_tokens"),
        "search_unit": billed.count("search_units"),
        "classification": billed.count("classifications"),
        "images": billed.count("images"),
    }


def ollama(use: Reader, _provider: str | None) -> dict[str, int]:
    """Ollama: the whole answer carries the two counts at its top level."""
    use.skip("created_at", "message", "response", "thinking", "context", "done", "done_reason")
    use.skip("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")
    return {"input": use.count("prompt_eval_count"), "output": use.count("eval_count")}
