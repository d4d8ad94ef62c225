"""OpenAI's usage objects and everybody's who speaks like OpenAI.

The details are parts of the totals. `prompt_tokens` includes what was cached; `completion_tokens`
includes reasoning, except at xAI and Perplexity, where it comes on top.
"""

from protocols.usage.reader import Reader, wrong

_CACHED = (
    "cached_tokens",
    "prompt_cache_hit_tokens",  # DeepSeek
    "cache_read_input_tokens",  # Databricks, Perplexity, LiteLLM
    "cached_prompt_text_tokens",  # xAI, long ago
    "num_cached_tokens",
)
_NO_PRICE = (
    "text_tokens",
    "accepted_prediction_tokens",
    "rejected_prediction_tokens",  # billed as output, and already part of it
)
_DURATIONS = ("queue_time", "prompt_time", "completion_time", "total_time")  # Groq


def chat(use: Reader, provider: str | None) -> dict[str, int]:
    """Chat completions and embeddings: `prompt_tokens`, `completion_tokens`."""
    use.skip("is_byok", "cost_details", "num_sources_used", "num_server_side_tools_used")
    use.skip(*_DURATIONS)
    prompt = use.count("prompt_tokens")
    _same_as_hit_and_miss(use, prompt)
    read = _read(use, prompt, f"{use.path}.prompt_tokens", use.part("prompt_tokens_details"))
    within = use.part("completion_tokens_details")
    completion = use.count("completion_tokens")
    reasoning = within.count("reasoning_tokens") or use.count("reasoning_tokens")
    on_top = _on_top(use, provider, prompt + completion, reasoning)
    field = f"{use.path}.completion_tokens"
    return read | _written(completion + on_top, field, within, max(reasoning, on_top)) | _fees(use)


def responses(use: Reader, _provider: str | None) -> dict[str, int]:
    """Responses, images and realtime: `input_tokens`, `output_tokens`, with their details."""
    use.skip("total_tokens", "type", "num_sources_used", "num_server_side_tools_used")
    within = use.part("input_tokens_details", "input_token_details")
    read = _read(use, use.count("input_tokens"), f"{use.path}.input_tokens", within)
    within = use.part("output_tokens_details", "output_token_details")
    reasoning = within.count("reasoning_tokens")
    field = f"{use.path}.output_tokens"
    return read | _written(use.count("output_tokens"), field, within, reasoning) | _fees(use)


def left(total: int, field: str, *parts: int) -> int:
    """Take the parts out of an inclusive total."""
    rest = total - sum(parts)
    if rest < 0:
        problem = f"is {total}, less than the {sum(parts)} its parts add up to"
        raise wrong(field, problem, "send the usage object exactly as the provider gave it")
    return rest


def _read(use: Reader, total: int, field: str, within: Reader) -> dict[str, int]:
    """Split the input side, an inclusive total."""
    within.skip(*_NO_PRICE)
    cached = within.count(*_CACHED) or use.count(*_CACHED)
    use.skip(*_CACHED)
    by_medium = within.part("cached_tokens_details")
    by_medium.skip("text_tokens")
    cached_audio = by_medium.count("audio_tokens")
    cached_image = by_medium.count("image_tokens")
    audio, image = within.count("audio_tokens"), within.count("image_tokens")
    parts = {
        "cache_read": left(cached, f"{field} (cached)", cached_audio, cached_image),
        "cache_read_audio": cached_audio,
        "cache_read_image": cached_image,
        "input_audio": left(audio, f"{field} (audio)", cached_audio),
        "input_image": left(image, f"{field} (image)", cached_image),
        "input_video": within.count("video_tokens"),
        **_cache_writes(use, within),
    }
    return {"input": left(total, field, *parts.values())} | parts


def _cache_writes(use: Reader, within: Reader) -> dict[str, int]:
    lifetimes = within.part("cache_write_tokens_details")
    half_hour, half_day = lifetimes.count("ttl_30m_tokens"), lifetimes.count("ttl_12h_tokens")
    written = within.count("cache_write_tokens") or use.count("cache_creation_input_tokens")
    use.skip("cache_creation_input_tokens")
    written = written or half_hour + half_day
    short = left(written, f"{within.path}.cache_write_tokens", half_day)
    return {"cache_write_5m": short, "cache_write_12h": half_day}


def _written(total: int, field: str, within: Reader, reasoning: int) -> dict[str, int]:
    """Split the output side, an inclusive total."""
    within.skip(*_NO_PRICE)
    parts = {
        "reasoning": reasoning,
        "output_audio": within.count("audio_tokens"),
        "output_image": within.count("image_tokens"),
    }
    return {"output": left(total, field, *parts.values())} | parts


def _on_top(use: Reader, provider: str | None, sum_: int, reasoning: int) -> int:
    """Output tokens that `completion_tokens` leaves out. The total decides where there is one."""
    if provider == "perplexity":
        use.skip("total_tokens")
        return reasoning
    if not use.has("total_tokens"):
        return reasoning if provider == "xai" else 0
    total = Reader({"n": use.value("total_tokens")}, f"{use.path}.total_tokens").count("n")
    if total == sum_:
        return 0
    if total == sum_ + reasoning:
        return reasoning
    if provider == "google" and total > sum_:
        return total - sum_  # thoughts, which its OpenAI-like door does not name
    use.forget("total_tokens")
    return reasoning if provider == "xai" else 0


def _same_as_hit_and_miss(use: Reader, prompt: int) -> None:
    """DeepSeek splits the prompt a second time; the halves must be the whole."""
    hit, miss = use.count("prompt_cache_hit_tokens"), use.count("prompt_cache_miss_tokens")
    if use.has("prompt_cache_miss_tokens") and hit + miss != prompt:
        problem = f"is {prompt}, but cache hits and misses add up to {hit + miss}"
        raise wrong(f"{use.path}.prompt_tokens", problem, "send the usage as DeepSeek gave it")


def _fees(use: Reader) -> dict[str, int]:
    """Count what is charged by the piece: searches, citations, seconds of audio."""
    tools = use.part("server_tool_use")
    searches = use.count("num_search_queries") or tools.count("web_search_requests")
    size = use.text("search_context_size")
    sized = {f"search_{size}": 1} if size in {"low", "medium", "high"} and not searches else {}
    return {
        "web_search": searches,
        "citation": use.count("citation_tokens"),
        "seconds": use.count("prompt_audio_seconds"),
        **sized,
    }
