"""From any usage object we know to disjoint counts; what is not understood is named."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from protocols.debug import log_function
from protocols.usage import openai, shapes
from protocols.usage.kinds import KINDS
from protocols.usage.ordinary import ordinary
from protocols.usage.reader import Reader, checked, wrong
from protocols.usage.unwrap import searches, unwrap
from protocols.usage.usage import Usage

Shape = Callable[[Reader, str | None], dict[str, int]]

_ANTHROPIC_ONLY = (
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "server_tool_use",
    "inference_geo",
    "iterations",
)
_SHAPES: tuple[tuple[Shape, tuple[str, ...]], ...] = (
    (shapes.gemini, ("promptTokenCount", "prompt_token_count", "candidatesTokenCount")),
    (shapes.gemini, ("candidates_token_count", "responseTokenCount", "totalTokenCount")),
    (shapes.bedrock, ("inputTokens", "outputTokens")),
    (openai.chat, ("prompt_tokens", "completion_tokens")),
    (shapes.cohere, ("billed_units",)),
    (shapes.ollama, ("prompt_eval_count", "eval_count")),
    (openai.responses, ("input_tokens", "output_tokens")),
    (shapes.normalised, tuple(KINDS)),
)
_MODES = {
    "default": "standard",
    "auto": "standard",
    "on_demand": "standard",
    "on_demand_flex": "flex",
    "on_demand_priority": "priority",
}
_MODE_FIELDS = ("mode", "service_tier", "serviceTier", "trafficType", "traffic_type")
_NO_REGION = frozenset({"global", "not_available"})
_PROVIDERS = {"x-ai": "xai", "x_ai": "xai", "gemini": "google"}
_UNRECOGNISED_MAX = 32
MODE_MAX = 32
TICKS = -10
"""xAI counts dollars in ten-thousand-millionths."""


@log_function()
def normalise(raw: Mapping[str, object], provider: str | None = None) -> Usage:
    """Read the usage in `raw`: our own form, a provider's object, or a whole response.

    Raises Invalid naming the field and the remedy. `provider` settles what the object
    alone cannot: whether reasoning is inside `completion_tokens`.
    """
    if raw and raw.keys() <= KINDS:
        return Usage(_plain(raw))
    speaker = (provider or "").lower()
    counts = ordinary(raw, speaker)
    if counts is not None:
        return Usage(counts)
    return read_in_full(raw, speaker)


def read_in_full(raw: Mapping[str, object], speaker: str) -> Usage:
    """Any object, wherever in a response it is."""
    inner, outer = unwrap(raw)
    use, body = Reader(inner), Reader(outer, "response")
    counts = _shape(use)(use, _PROVIDERS.get(speaker, speaker) or None)
    region = use.text("region", "inference_geo") or body.text("region")
    told = _unrecognised_before(inner)
    return Usage(
        mode=_mode(use, body),
        region=None if region in _NO_REGION else region,
        model=use.text("model") or body.text("model", "modelVersion", "model_version"),
        reported_cost=_cost(use),
        counts={kind: count for kind, count in (counts | searches(outer)).items() if count},
        unrecognised=(*told, *sorted(use.unread()))[:_UNRECOGNISED_MAX],
    )


def _plain(raw: Mapping[str, object]) -> dict[str, int]:
    """Our own form, the commonest of all, without the machinery."""
    counted = {kind: checked(value, f"usage.{kind}") for kind, value in raw.items()}
    return {kind: count for kind, count in counted.items() if count}


def _shape(use: Reader) -> Shape:
    if use.has("input_tokens", "output_tokens") and _is_anthropic(use):
        return shapes.anthropic
    if use.value("type") == "duration":
        return shapes.by_duration
    use.forget("type")
    for shape, marks in _SHAPES:
        if use.has(*marks):
            return shape
    remedy = 'send the provider\'s usage object, or counts such as {"input": 1200, "output": 80}'
    raise wrong("usage", "has none of the counts of a provider we know", remedy)


def _is_anthropic(use: Reader) -> bool:
    if use.has("prompt_tokens", "input_tokens_details", "input_token_details"):
        return False
    return use.has(*_ANTHROPIC_ONLY) or use.look("output_tokens_details", "thinking_tokens")


def _mode(use: Reader, body: Reader) -> str:
    """How the call was processed. An unknown name stays as it is, and has no price."""
    speed = use.text("speed")
    if speed not in (None, "standard"):
        return str(speed).lower()[:MODE_MAX]
    name = use.text(*_MODE_FIELDS) or body.text(*_MODE_FIELDS)
    nested = body.value("serviceTier")
    if name is None and isinstance(nested, Mapping):
        name = str(nested.get("type") or "") or None
    lowered = (name or "standard").lower()[:MODE_MAX]
    return _MODES.get(lowered, lowered)


def _cost(use: Reader) -> Decimal | None:
    """Read what the provider says it charged, in USD, kept beside our own figure."""
    told = use.value("cost")
    ours = use.value("reported_cost_usd")
    ticks = use.count("cost_in_usd_ticks")
    amount = told.get("total_cost") if isinstance(told, Mapping) else told
    amount = amount if ours is None else ours
    if amount is None and ticks:
        return Decimal(ticks).scaleb(TICKS)
    if amount is None:
        return None
    try:
        cost = Decimal(str(amount))
    except InvalidOperation:
        cost = Decimal(-1)
    if not cost.is_finite() or cost < 0:
        raise wrong("usage.cost", "must be an amount of USD, 0 or more", "leave it out if unknown")
    return cost


def _unrecognised_before(inner: Mapping[str, object]) -> tuple[str, ...]:
    names = inner.get("unrecognised")
    return tuple(str(name) for name in names) if isinstance(names, list) else ()
