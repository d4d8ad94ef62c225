"""The commonest usage objects, read at one glance: most calls send one of these.

What is not exactly so is left to the full reader; a property test holds the two to the same.
"""

from collections.abc import Mapping

from protocols.usage.reader import COUNT_MAX

_CHAT = frozenset(
    {"prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details",
     "completion_tokens_details"}
)  # fmt: skip
_RESPONSES = frozenset(
    {"input_tokens", "output_tokens", "total_tokens", "input_tokens_details",
     "output_tokens_details"}
)  # fmt: skip
_MESSAGES = frozenset(
    {"input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"}
)
_PROMPT = frozenset({"cached_tokens", "audio_tokens"})
_COMPLETION = frozenset(
    {"reasoning_tokens", "audio_tokens", "accepted_prediction_tokens",
     "rejected_prediction_tokens"}
)  # fmt: skip


def ordinary(raw: Mapping[str, object], provider: str) -> dict[str, int] | None:
    """Counts above zero, or None for anything out of the ordinary."""
    names = raw.keys()
    if names == _CHAT and provider != "perplexity":  # it counts reasoning on top
        read, written = raw["prompt_tokens"], raw["completion_tokens"]
        within, beside = raw["prompt_tokens_details"], raw["completion_tokens_details"]
        return _inclusive(raw["total_tokens"], read, written, within, beside)
    if names == _RESPONSES:
        read, written = raw["input_tokens"], raw["output_tokens"]
        within, beside = raw["input_tokens_details"], raw["output_tokens_details"]
        return _inclusive(raw["total_tokens"], read, written, within, beside)
    if names == _MESSAGES:
        counts = {
            "input": raw["input_tokens"],
            "cache_read": raw["cache_read_input_tokens"],
            "cache_write_5m": raw["cache_creation_input_tokens"],
            "output": raw["output_tokens"],
        }
        return _above_zero(counts)
    return None


def _inclusive(
    total: object, read: object, written: object, within: object, beside: object
) -> dict[str, int] | None:
    """OpenAI's totals, and of their parts only cached input and reasoning."""
    if type(within) is not dict or type(beside) is not dict:
        return None
    if not (within.keys() <= _PROMPT and beside.keys() <= _COMPLETION):
        return None
    cached, reasoning = within.get("cached_tokens", 0), beside.get("reasoning_tokens", 0)
    plain = type(read) is int and type(written) is int and total == read + written
    if not plain or within.get("audio_tokens", 0) != 0 or beside.get("audio_tokens", 0) != 0:
        return None
    if type(cached) is not int or type(reasoning) is not int:
        return None
    counts = {
        "input": read - cached,  # type: ignore[operator]  # a whole number, see above
        "cache_read": cached,
        "output": written - reasoning,  # type: ignore[operator]
        "reasoning": reasoning,
    }
    return _above_zero(counts)


def _above_zero(counts: Mapping[str, object]) -> dict[str, int] | None:
    found = {}
    for kind, count in counts.items():
        if type(count) is not int or not 0 <= count <= COUNT_MAX:
            return None
        if count:
            found[kind] = count
    return found
