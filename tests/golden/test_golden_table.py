"""Over two hundred usage objects as providers send them: what they mean, and what they cost.

The meaning (`billed`) was derived by hand from what each provider says its fields include; the
cost was worked out by a script that shares no code with the daemon.
"""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from protocols.costing import cost
from protocols.prices import Hours, LongContext, PriceVersion, Tariff
from protocols.usage import normalise
from tests.golden import workout

VERSIONS, CASES = workout.load()
BY_NAME = {case["name"]: case for case in CASES}
PROVIDERS = {
    "openai", "anthropic", "google", "vertex", "bedrock", "mistral", "cohere", "groq", "xai",
    "deepseek", "perplexity", "openrouter", "dashscope", "ollama",
}  # fmt: skip


def decimals(rates: dict[str, str]) -> dict[str, Decimal]:
    return {kind: Decimal(rate) for kind, rate in rates.items()}


def tariff(told: dict[str, Any]) -> Tariff:
    long: LongContext | None = None
    for tier in reversed(told.get("tiers", ())):
        threshold = tier.get("over", tier.get("from"))
        long = LongContext(threshold, decimals(tier["rates"]), "from" in tier, long)
    return Tariff(decimals(told["rates"]), long)


def minutes(clock: str) -> int:
    hours, minute = clock.split(":")
    return int(hours) * 60 + int(minute)


def version(name: str) -> PriceVersion:
    told = VERSIONS[name]
    provider, _, model = name.partition("/")
    standard = tariff(told)
    return PriceVersion(
        id=f"{name}@golden",
        provider=provider,
        model=model,
        rates=standard.rates,
        long_context=standard.long_context,
        unit_rates=decimals(told.get("units", {})),
        modes={mode: tariff(rates) for mode, rates in told.get("modes", {}).items()},
        regions=decimals(told.get("regions", {})),
        hours=tuple(
            Hours(
                minutes(window["starts"]), minutes(window["ends"]),
                Tariff(decimals(window["rates"])),
                frozenset(day - 1 for day in window.get("weekdays", range(1, 8))),
            )
            for window in told.get("hours", ())
        ),
        free=told.get("free", False),
    )  # fmt: skip


@pytest.mark.parametrize("name", BY_NAME)
def test_a_usage_means_what_the_provider_says_and_costs_what_its_rates_give(name: str) -> None:
    case = BY_NAME[name]
    price = version(case["version"])
    usage = normalise(case["usage"], price.provider)
    assert usage.counts == case["billed"]
    assert usage.mode == case.get("billed_mode", "standard")
    at = datetime.fromisoformat(case["at"]) if "at" in case else None
    found = cost(usage, price, mode=case.get("mode"), region=case.get("region"), at=at)
    assert found.exact_usd == Decimal(case["expected_usd"])
    assert not found.estimated
    if "reported" in case:
        assert usage.reported_cost == Decimal(case["reported"])


def test_the_table_s_figures_are_those_of_the_script() -> None:
    for case in CASES:
        usd = workout.worked_out(case, VERSIONS[case["version"]])
        assert workout.decimal(usd) == case["expected_usd"], case["name"]


def test_every_provider_mode_and_edge_is_in_the_table() -> None:
    assert len(CASES) >= 200
    assert {case["version"].partition("/")[0] for case in CASES} == PROVIDERS
    modes = Counter(case.get("mode") or case.get("billed_mode", "standard") for case in CASES)
    assert set(modes) == {"standard", "batch", "flex", "priority", "fast"}
    assert sum("at" in case for case in CASES) >= 10
    assert sum(" at " in case["name"] for case in CASES) >= 30, "thresholds: below, at, above"
