"""genai-prices' data, read out of its source text. Nothing of the package is executed.

Its data module is one literal of constructor calls. We parse it and take each call as a record.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from protocols.prices import LongContext, Tariff, without_path
from protocols.prices.offer import Offer, rate

PROVIDERS = {
    "anthropic": "anthropic",
    "arcee": "arcee",
    "aws": "bedrock",
    "azure": "azure",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "google": "google",
    "groq": "groq",
    "meta": "meta",
    "minimax": "minimax",
    "mistral": "mistral",
    "moonshotai": "moonshot",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together": "together",
    "voyageai": "voyage",
    "x-ai": "xai",
    "zai": "zai",
}
KINDS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "output_reasoning_mtok": "reasoning",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write_5m",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "output_audio_mtok": "output_audio",
    "input_image_mtok": "input_image",
    "output_image_mtok": "output_image",
    "input_video_mtok": "input_video",
    "cache_audio_read_mtok": "cache_read_audio",
    "cache_image_read_mtok": "cache_read_image",
    "output_citation_mtok": "citation",
}
UNITS = {"web_searches_kcount": "web_search"}
THOUSANDTH = -3

Record = dict[str, Any]


def read(source: str) -> list[Record]:
    """Find the provider records of the data module."""
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.value, ast.List):
            records: list[Record] = _plain(statement.value)
            return records
    raise ValueError("the data module holds no list of providers")


def _plain(node: ast.expr) -> Any:  # noqa: PLR0911 - an arm for each kind of literal
    """Read a literal as plain values: calls become dicts, Decimals and dates themselves."""
    match node:
        case ast.Constant():
            return node.value
        case ast.List() | ast.Tuple():
            return [_plain(item) for item in node.elts]
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return {_plain(key): _plain(value) for key, value in pairs if key is not None}
        case ast.Call(func=ast.Name("Decimal"), args=[ast.Constant(value=str(text))]):
            return Decimal(text)
        case ast.Call(func=ast.Attribute(attr="date"), args=[year, month, day]):
            return date(_plain(year), _plain(month), _plain(day))
        case ast.Call(func=ast.Name(kind)):
            return {"": kind} | {word.arg: _plain(word.value) for word in node.keywords if word.arg}
        case _:
            return None


class Catalogue:
    """One provider's models at a date, found by the source's own rules."""

    def __init__(self, record: Record, dated: date) -> None:
        self.provider = PROVIDERS[record["id"]]
        self.dated = dated
        self.models: list[Record] = [
            model for model in record["models"] if not _is_guest(self.provider, model["id"])
        ]

    def match(self, name: str) -> tuple[Record, bool] | None:
        """Find the first model whose rule takes this name, and whether it spells the name out."""
        for model in self.models:
            exact = model["id"] == name or _rule(model["match"], name)
            if exact is not None:
                return model, exact
        return None

    def names(self) -> Iterator[tuple[str, str]]:
        """Every name the data spells out, with the id of its model."""
        for model in self.models:
            yield model["id"], model["id"]
            for name in _spelt(model["match"]):
                yield name, model["id"]

    def offer(self, model: Record) -> Offer | None:
        """Say what the model costs on the catalogue's date."""
        price, peak = _at(model["prices"], self.dated)
        tariff = _tariff(price)
        if tariff is None or "input" not in tariff.rates:
            return None
        return Offer(
            provider=self.provider,
            model=without_path(model["id"]),
            rates=dict(tariff.rates),
            unit_rates=_unit_rates(price),
            long_context=tariff.long_context,
            modes=_modes(model, self.dated),
            chat="output" in tariff.rates,
            peak=peak,
        )


def _is_guest(provider: str, model: str) -> bool:
    """Google's list also holds what Vertex serves of other makers."""
    return provider == "google" and model.startswith("claude")


def catalogues(records: list[Record], dated: date) -> list[Catalogue]:
    return [Catalogue(record, dated) for record in records if record["id"] in PROVIDERS]


def _rule(rule: Record, name: str) -> bool | None:  # noqa: PLR0911 - an arm for each rule
    """None: no match. True: the rule spells the name out. False: by a part of it only."""
    match rule:
        case {"": "ClauseEquals", "equals": text}:
            return True if name == text.lower() else None
        case {"": "ClauseRegex", "regex": text}:
            whole = text.startswith("^") and text.endswith("$") and "(?" not in text
            return whole if re.search(text, name) else None
        case {"": "ClauseStartsWith", "starts_with": text}:
            return False if name.startswith(text.lower()) else None
        case {"": "ClauseEndsWith", "ends_with": text}:
            return False if name.endswith(text.lower()) else None
        case {"": "ClauseContains", "contains": text}:
            return False if text.lower() in name else None
        case {"or_": rules}:
            found = [exact for exact in (_rule(r, name) for r in rules) if exact is not None]
            return any(found) if found else None
        case {"and_": rules}:
            matched = [_rule(r, name) for r in rules]
            return None if None in matched else all(matched)
        case _:
            return None


def _spelt(rule: Record) -> Iterator[str]:
    match rule:
        case {"": "ClauseEquals", "equals": str(text)}:
            yield text
        case {"or_": rules}:
            for inner in rules:
                yield from _spelt(inner)
        case _:
            return


def _at(prices: Any, dated: date) -> tuple[Record, bool]:
    """Take the last price active on the date; of those that change with the hour, the dearest."""
    if isinstance(prices, dict):
        return prices, False
    active: list[Record] = []
    for entry in prices:
        constraint = entry.get("constraint") or {}
        if constraint.get("") == "TimeOfDateConstraint":
            active.append(entry["prices"])
        elif constraint.get("start_date", dated) <= dated:
            active = [entry["prices"]]
    return max(active, key=_base_input), len(active) > 1


def _base_input(price: Record) -> Decimal:
    value = price.get("input_mtok") or Decimal(0)
    return value["base"] if isinstance(value, dict) else value


def _tariff(price: Mapping[str, Any]) -> Tariff | None:
    """Read the price's rates. None where it has more than one long-context tier."""
    rates: dict[str, Decimal] = {}
    long: dict[str, Decimal] = {}
    thresholds: set[int] = set()
    for name, kind in KINDS.items():
        value = price.get(name)
        tiers = value["tiers"] if isinstance(value, dict) else []
        amount = rate(value["base"] if isinstance(value, dict) else value)
        if amount is not None and (amount or kind in {"input", "output"}):
            rates[kind] = amount
        for tier in tiers:
            thresholds.add(tier["start"])
            long[kind] = rate(tier["price"]) or Decimal(0)
    if len(thresholds) > 1:
        return None
    return Tariff(rates, _long(thresholds.pop(), long) if thresholds else None)


def _long(start: int, rates: dict[str, Decimal]) -> LongContext:
    """Read a tier. An inclusive threshold is written one lower: 199999 means from 200000 on."""
    inclusive = str(start).endswith("999")
    return LongContext(start + inclusive, rates, inclusive)


def _unit_rates(price: Mapping[str, Any]) -> dict[str, Decimal]:
    told = {kind: rate(price.get(name), THOUSANDTH) for name, kind in UNITS.items()}
    return {kind: amount for kind, amount in told.items() if amount}


def _modes(model: Record, dated: date) -> dict[str, Tariff]:
    """Rates of the modes whose variant is in force and stands alone."""
    modes: dict[str, Tariff] = {}
    for variant in model.get("price_variants") or ():
        when = variant["when"]
        mode = when.get("processing") or when.get("service_tier") or when.get("speed")
        starts = (variant.get("constraint") or {}).get("start_date", dated)
        tariff = _tariff(variant["prices"])
        if len(when) == 1 and starts <= dated and tariff is not None and tariff.rates:
            modes[str(mode)] = tariff
    return modes
