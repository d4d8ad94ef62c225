"""Where the usage is: by itself, in a response, or in a stream's last event."""

from collections.abc import Iterator, Mapping
from typing import Any

Raw = Mapping[str, object]
_NAMES = ("usage", "usageMetadata", "usage_metadata")
_AROUND = ("response", "message", "delta", "metadata", "x_groq")
"""OpenAI's closing event, Anthropic's opening one, Cohere's last, Bedrock's, Groq's last chunk."""


def unwrap(raw: Raw) -> tuple[Raw, Raw]:
    """Find the usage object, and the response around it if there is one."""
    for around in (raw, *_inside(raw)):
        for name in _NAMES:
            inner = around.get(name)
            if isinstance(inner, Mapping):
                return inner, around
    meta = raw.get("meta")
    if isinstance(meta, Mapping) and "billed_units" in meta:  # Cohere's embeddings
        return meta, raw
    drawn = _images(raw)
    return ({"images": drawn}, raw) if drawn else (raw, {})


def searches(body: Raw) -> dict[str, int]:
    """Count OpenAI's searches: they are items of the answer, and not in its usage."""
    output = body.get("output")
    if not isinstance(output, list):
        return {}
    found = sum(isinstance(item, dict) and item.get("type") == "web_search_call" for item in output)
    return {"web_search": found} if found else {}


def _inside(raw: Raw) -> Iterator[Raw]:
    for name in _AROUND:
        around = raw.get(name)
        if isinstance(around, Mapping):
            yield around


def _images(raw: Raw) -> int:
    """How many pictures came with an answer that tells no usage."""
    data: Any = raw.get("data")
    if not isinstance(data, list):
        return 0
    return sum(isinstance(item, dict) and bool(item.keys() & {"url", "b64_json"}) for item in data)
