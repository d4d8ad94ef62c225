"""llm-prices.com's file as a source: current and historical have the same rows."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from daemon.prices.sources.parse import enough, parse, rows, table, unbelievable, why
from protocols.prices import provider_name
from protocols.prices.offer import Offer, Reading, rate
from protocols.prices.version import LongContext

VENDORS = {"amazon": "amazon-nova", "moonshot-ai": "moonshot"}
KINDS = {"input": "input", "output": "output", "input_cached": "cache_read"}
_TIER = re.compile(r"(.+?)-(?:gt-)?(\d+)k")
TIERS = frozenset({128, 200, 272})
"""`gemini-2.5-pro-200k` is a price of gemini-2.5-pro, not a model."""


def read(text: bytes, today: date) -> Reading:
    """Raises SourceFailed for a file that cannot be believed as a whole."""
    reading = Reading([])
    for told in rows(table(parse(text), "the file").get("prices"), "prices"):
        row = table(told, "a price")
        name = f"{row.get('vendor')}/{row.get('id')}"
        try:
            offer = _offer(row, today)
        except (KeyError, TypeError, ValueError) as error:
            reading.rejected[name] = why(error)
            continue
        if offer is not None:
            reading.offers.append(offer)
    enough(len(reading.offers))
    reading.offers = _folded(reading.offers)
    return reading


def _offer(row: Mapping[str, Any], today: date) -> Offer | None:
    starts, ends = (_day(row.get(name)) for name in ("from_date", "to_date"))
    if ends is not None and ends <= today:
        return None
    rates: dict[str, Decimal] = {}
    for name, kind in KINDS.items():
        doubt = unbelievable(row.get(name))
        if doubt is not None:
            raise ValueError(f"{name}: {doubt}")
        amount = rate(row.get(name))
        if amount is not None and (amount or kind != "cache_read"):
            rates[kind] = amount
    vendor = str(row["vendor"])
    later = starts if starts is not None and starts > today else None
    provider = VENDORS.get(vendor, provider_name(vendor))
    return Offer(provider, str(row["id"]), rates, starts=later) if "input" in rates else None


def _day(text: object) -> date | None:
    return date.fromisoformat(str(text)) if text is not None else None


def _folded(offers: list[Offer]) -> list[Offer]:
    """Tiers, which are written as models of their own, go into the model they belong to."""
    known = {(offer.provider, offer.model): offer for offer in offers if offer.starts is None}
    tiers: dict[int, tuple[Offer, int]] = {}
    for offer in offers:
        found = _TIER.fullmatch(offer.model)
        base = known.get((offer.provider, found[1])) if found is not None else None
        if found is not None and base is not None and int(found[2]) in TIERS:
            tiers[id(offer)] = base, int(found[2]) * 1000
    longs = {
        id(base): LongContext(threshold, offer.rates)
        for offer in offers
        for base, threshold in [tiers.get(id(offer), (None, 0))]
        if base is not None and offer.starts is None
    }
    return [
        replace(offer, long_context=longs.get(id(offer)))
        for offer in offers
        if id(offer) not in tiers
    ]
