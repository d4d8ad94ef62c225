"""What a call of an SDK will use at most: read from its arguments, pure."""

from collections.abc import Mapping
from typing import Any

from tekton_budget.details import Wanted

TEXTS = ("messages", "input", "instructions", "system", "tools", "functions", "prompt")
"""Arguments whose text the model reads."""
MOST = ("max_completion_tokens", "max_output_tokens", "max_tokens")
TEXT_MAX = 1_000_000
BYTES_PER_TOKEN = 2
"""For texts longer than the daemon counts: more tokens than any of them has."""


def wanted(kwargs: Mapping[str, Any], path: tuple[str, ...]) -> Wanted:
    """What to hold for it; what the arguments leave open, the daemon estimates."""
    call: Wanted = {}
    text = "\n".join(_texts([kwargs.get(name) for name in TEXTS]))
    if len(text) <= TEXT_MAX:
        call["input_text"] = text
    else:
        call["input_tokens"] = len(text.encode()) // BYTES_PER_TOKEN
    most = next((kwargs[name] for name in MOST if isinstance(kwargs.get(name), int)), None)
    if "embeddings" in path:
        call["max_output_tokens"] = 0
        call["task_type"] = "embedding"
    elif most is not None:
        call["max_output_tokens"] = most * max(1, _choices(kwargs))
    return call


def _choices(kwargs: Mapping[str, Any]) -> int:
    count = kwargs.get("n")
    return count if isinstance(count, int) else 1


def _texts(thing: Any) -> list[str]:
    """Every string in it; pictures and files, which are not text, are left out."""
    if isinstance(thing, str):
        return [] if thing.startswith("data:") else [thing]
    if isinstance(thing, Mapping):
        source = thing.get("type") == "base64"
        inner = [value for name, value in thing.items() if not (source and name == "data")]
        return _texts(inner)
    if isinstance(thing, list | tuple):
        return [text for one in thing for text in _texts(one)]
    dump = getattr(thing, "model_dump", None)
    return _texts(dump()) if callable(dump) else []


def asks_for_usage(kwargs: dict[str, Any], path: tuple[str, ...]) -> bool:
    """A stream of chat completions tells its usage only if asked: True when we had to ask."""
    if not kwargs.get("stream") or "completions" not in path:
        return False
    options = kwargs.get("stream_options") or {}
    kwargs["stream_options"] = {**options, "include_usage": True}
    return not options.get("include_usage")
