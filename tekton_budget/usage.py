"""What a provider's answer says it used: the usage and what decides its price, nothing else.

The daemon reads every provider's usage object as it came. What was said stays here.
"""

from collections.abc import Mapping
from typing import Any

BESIDE = ("model", "service_tier", "serviceTier", "trafficType", "region")
"""What a provider writes next to its usage and what decides the price with it."""
HOLDERS = ("usage", "usage_metadata", "usageMetadata")
PLAIN = (str, int, float, bool, type(None))


def usage_of(answer: object) -> dict[str, Any]:
    """The usage of a response object, a dict, or a usage object itself; empty if there is none."""
    if answer is None:
        return {}
    for name in HOLDERS:
        inner = _get(answer, name)
        if inner is not None:
            around = {beside: _get(answer, beside) for beside in BESIDE}
            told = {key: value for key, value in around.items() if isinstance(value, str)}
            return {name: _json(inner), **told, **_searches(answer)}
    found = _json(answer)
    return found if isinstance(found, dict) and _counts(found) else {}


def id_of(answer: object) -> str | None:
    """The provider's id of a response: the daemon books each once."""
    name = _get(answer, "id")
    return name if isinstance(name, str) and 0 < len(name) <= 256 else None  # noqa: PLR2004


def _get(thing: object, name: str) -> Any:
    if isinstance(thing, Mapping):
        return thing.get(name)
    return getattr(thing, name, None)


def _json(thing: object) -> Any:
    """Dicts, lists and plain values of what may be a model of any library."""
    if isinstance(thing, PLAIN):
        return thing
    if isinstance(thing, Mapping):
        return {str(key): _json(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [_json(value) for value in thing]
    dump = getattr(thing, "model_dump", None) or getattr(thing, "to_dict", None)
    return _json(dump()) if callable(dump) else _json(getattr(thing, "__dict__", None))


def _counts(found: Mapping[str, Any]) -> bool:
    return any(isinstance(value, int | Mapping) for value in found.values())


def _searches(answer: object) -> dict[str, Any]:
    """OpenAI counts its searches as items of the answer: their kind goes along, without content."""
    output = _get(answer, "output")
    if not isinstance(output, list):
        return {}
    kinds = [{"type": str(_get(item, "type"))} for item in output]
    return {"output": kinds} if {"type": "web_search_call"} in kinds else {}
