"""OpenRouter's model list: its own prices, and a witness for makers who sell their models alone."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from daemon.prices.sources.parse import enough, parse, rows, table, why
from protocols.prices import provider_name
from protocols.prices.offer import MILLION, Offer, Reading, rate
from protocols.prices.version import LongContext

# Prices of cached reads are left out: since April 2026 they are rounded to cents per million.
KINDS = {
    "prompt": "input",
    "completion": "output",
    "input_cache_write": "cache_write_5m",
    "internal_reasoning": "reasoning",
    "audio": "input_audio",
}
CLOSED = frozenset({"openai", "anthropic", "google", "xai", "cohere", "perplexity"})
"""Makers whose price elsewhere is their own."""
OPEN_WEIGHTS = ("gpt-oss", "gemma", "grok-1")
STORAGE = "google"
"""What stands in its cache write is five minutes' rent."""


def read(text: bytes, today: date) -> Reading:
    """Raises SourceFailed for a file that cannot be believed as a whole."""
    del today  # everything in the file is in force
    reading = Reading([])
    for told in rows(table(parse(text), "the file").get("data"), "data"):
        name = str(table(told, "a model").get("id"))
        try:
            reading.offers += _offers(name, table(told.get("pricing"), "pricing"))
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            reading.rejected[name] = why(error)
    enough(len(reading.offers))
    return reading


def _offers(name: str, pricing: Mapping[str, Any]) -> Iterator[Offer]:
    rates = _rates(pricing)
    maker, _, model = name.partition("/")
    owner = provider_name(maker.lstrip("~"))
    if "input" not in rates or owner == "openrouter":
        return
    if owner == STORAGE:
        rates.pop("cache_write_5m", None)
    search = rate(_decimal(pricing.get("web_search", "0")))
    units = {"web_search": search} if search else {}
    long = _long(pricing)
    chat = bool(rates.get("output"))
    yield Offer("openrouter", name, rates, units, long, chat=chat)
    variant = ":" in model or maker.startswith("~") or "latest" in model
    if owner in CLOSED and not variant and not any(part in model for part in OPEN_WEIGHTS):
        yield Offer(owner, model, dict(rates), {}, None, chat=chat)


def _rates(pricing: Mapping[str, Any]) -> dict[str, Decimal]:
    """USD per token as decimal strings; -1 stands for "depends", which is no price."""
    rates: dict[str, Decimal] = {}
    for name, kind in KINDS.items():
        if name not in pricing:
            continue
        amount = _decimal(pricing[name])
        if amount < 0:
            raise ValueError(f"{name} {amount} is negative")
        known = rate(amount, MILLION)
        if known is not None and (known or kind in {"input", "output"}):
            rates[kind] = known
    return rates


def _long(pricing: Mapping[str, Any]) -> LongContext | None:
    long: LongContext | None = None
    told = sorted(pricing.get("overrides") or (), key=lambda one: -one["min_prompt_tokens"])
    for override in told:
        threshold = int(override["min_prompt_tokens"])
        long = LongContext(threshold, _rates(override), inclusive=True, beyond=long)
    return long


def _decimal(text: object) -> Decimal:
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a decimal") from None
    if not amount.is_finite():
        raise ValueError(f"{text!r} is not a number")
    return amount
