"""LiteLLM's file as a source: every provider it names, every tier, hour and piece."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from daemon.prices import litellm_data
from daemon.prices.sources.parse import enough, parse, table, unbelievable, why
from protocols.prices.offer import Offer, Reading, rate
from protocols.prices.version import Hours, LongContext, Tariff

PSEUDO = frozenset({"sample_spec", "fallback_generalizations"})
UNITS = {
    "input_cost_per_second": "seconds",
    "output_cost_per_second": "seconds",
    "input_cost_per_character": "characters",
    "output_cost_per_image": "images",
    "ocr_cost_per_page": "pages",
    "input_cost_per_query": "search_unit",
}
"""Kinds a model without token prices is charged by; the first that costs something counts."""
BY_THE_PIECE = frozenset(
    {"audio_transcription", "audio_speech", "image_generation", "ocr", "rerank"}
)
DAY_MIN = 1440


def read(text: bytes, today: date) -> Reading:
    """Raises SourceFailed for a file that cannot be believed as a whole."""
    del today  # everything in the file is in force
    reading = Reading([])
    for key, entry in table(parse(text), "the file").items():
        if key in PSEUDO or "*" in key:
            continue
        try:
            offer = _read(key, entry)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reading.rejected[key] = why(error)
            continue
        if offer is not None:
            reading.offers.append(offer)
    enough(len(reading.offers))
    return reading


def _read(key: str, entry: Any) -> Offer | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("litellm_provider"), str):
        raise ValueError(f"{entry!r:.40} names no provider")  # noqa: TRY004
    doubt = _unbelievable(entry)
    if doubt is not None:
        raise ValueError(doubt)
    offer = litellm_data.offer(key, entry) or _by_the_piece(key, entry) or _tiered(key, entry)
    if offer is not None:
        offer.hours = _hours(entry)
    return offer


def _unbelievable(entry: Mapping[str, Any]) -> str | None:
    for name, value in entry.items():
        if name.startswith(("input_cost", "output_cost", "cache_")) and "cost" in name:
            doubt = unbelievable(value)
            if doubt is not None and not isinstance(value, dict | list):
                return f"{name}: {doubt}"
    return None


def _by_the_piece(key: str, entry: Mapping[str, Any]) -> Offer | None:
    named = litellm_data.named(key, entry)
    if named is None or entry.get("mode") not in BY_THE_PIECE:
        return None
    units: dict[str, Decimal] = {}
    for name, kind in UNITS.items():
        amount = rate(entry.get(name))
        if amount:
            units.setdefault(kind, amount)
    return Offer(*named, rates={}, unit_rates=units, chat=False) if units else None


def _tiered(key: str, entry: Mapping[str, Any]) -> Offer | None:
    """Read `tiered_pricing`: each range has all its rates, and the first is the ordinary one."""
    named = litellm_data.named(key, entry)
    tiers = entry.get("tiered_pricing")
    if named is None or not isinstance(tiers, list) or not tiers:
        return None
    ranked = sorted(tiers, key=lambda tier: tier["range"][0])
    tables = [(int(tier["range"][0]), litellm_data.standard_rates(tier)) for tier in ranked]
    if any("input" not in rates or "output" not in rates for _, rates in tables):
        return None
    long: LongContext | None = None
    for threshold, rates in reversed(tables[1:]):
        long = LongContext(threshold, rates, beyond=long)
    return Offer(*named, rates=tables[0][1], long_context=long)


def _hours(entry: Mapping[str, Any]) -> tuple[Hours, ...]:
    """Read `off_peak_pricing`: what stands outside it is the peak price."""
    told = entry.get("off_peak_pricing")
    if not isinstance(told, dict):
        return ()
    rates = litellm_data.standard_rates(told)
    found = []
    for window in told.get("windows", ()):
        spans = window["hours_utc"]
        days = frozenset(day - 1 for day in window.get("weekdays", range(1, 8)))
        for span in [spans] if isinstance(spans, str) else spans:
            starts, ends = (_minutes(clock) for clock in span.split("-"))
            found.append(Hours(starts, ends or DAY_MIN, Tariff(rates), days))
    return tuple(found)


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
