"""Costs worked out by hand, to the last digit, and what must hold for all of them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.costing import cost
from protocols.errors import Unpriced
from protocols.money import round_half_even, round_up
from protocols.prices import LongContext, PriceVersion, Tariff
from protocols.usage import TOKEN_KINDS, Usage

D = Decimal


def rates(**kinds: str) -> dict[str, Decimal]:
    return {kind: D(text) for kind, text in kinds.items()}


STANDARD = rates(
    input="3", output="15", cache_read="0.3", cache_write_5m="3.75", cache_write_1h="6"
)
LONG = rates(input="6", output="22.5", cache_read="0.6", cache_write_5m="7.5", cache_write_1h="12")
SONNET = PriceVersion(
    id="anthropic/sonnet@2026-11-20",
    provider="anthropic",
    model="sonnet",
    rates=STANDARD,
    unit_rates=rates(web_search="0.01"),
    long_context=LongContext(200_000, LONG),
    modes={"batch": Tariff(STANDARD, LongContext(200_000, LONG)).times(D("0.5"))},
    regions=rates(us="1.1"),
)
TURBO = PriceVersion(
    id="openai/turbo@2026-11-20",
    provider="openai",
    model="turbo",
    rates=rates(input="2.5", output="10", cache_read="1.25", input_audio="40"),
    modes={
        "batch": Tariff(rates(input="1.25", output="5")),
        "priority": Tariff(rates(input="4.25", output="17")),
    },
)
GROK = PriceVersion(
    id="xai/grok@2026-11-20",
    provider="xai",
    model="grok",
    rates=rates(input="2", output="6", cache_read="0.5"),
    long_context=LongContext(200_000, rates(input="4", output="12"), inclusive=True),
)
PLAIN = PriceVersion("p/plain@1", "p", "plain", rates(input="0.0375", output="0.15"))
FREE = PriceVersion("declared-free/ollama", "ollama", "*", {}, free=True)

GOLDEN = [
    (PLAIN, {"input": 1, "output": 1}, {}, "0.0000001875"),
    (PLAIN, {"input": 10**12}, {}, "37500"),
    (PLAIN, {"cache_read": 10, "cache_write_1h": 10, "input_audio": 10}, {}, "0.000001125"),
    (PLAIN, {"reasoning": 7, "output_image": 3}, {}, "0.0000015"),
    (SONNET, {}, {}, "0"),
    (SONNET, {"input": 12, "cache_read": 40_000, "cache_write_5m": 1000,
              "cache_write_1h": 2000, "output": 500, "reasoning": 400}, {}, "0.041286"),
    (SONNET, {"input": 100_000, "cache_read": 100_000, "output": 10}, {}, "0.33015"),
    (SONNET, {"input": 100_000, "cache_read": 100_001, "output": 10}, {}, "0.6602256"),
    (SONNET, {"input": 1000, "output": 100, "web_search": 3}, {}, "0.0345"),
    (SONNET, {"input": 1000, "output": 100, "web_search": 3}, {"mode": "batch"}, "0.03225"),
    (SONNET, {"input": 200_001}, {"mode": "batch"}, "0.600003"),
    (SONNET, {"input": 1000, "web_search": 1}, {"region": "US"}, "0.0133"),
    (SONNET, {"input": 1000}, {"region": "eu-west-1"}, "0.003"),
    (TURBO, {"input": 1000, "output": 10}, {"mode": "batch"}, "0.0013"),
    (TURBO, {"input": 1000, "output": 10}, {"mode": "priority"}, "0.00442"),
    (TURBO, {"input_audio": 10, "input": 5}, {}, "0.0004125"),
    (GROK, {"input": 199_999}, {}, "0.399998"),
    (GROK, {"input": 200_000, "output": 1}, {}, "0.800012"),
    (FREE, {"input": 10**12, "output": 5, "web_search": 4}, {"mode": "priority"}, "0"),
]  # fmt: skip


@pytest.mark.parametrize(("version", "counts", "how", "usd"), GOLDEN)
def test_costs_are_what_the_rules_give_by_hand(
    version: PriceVersion, counts: dict[str, int], how: dict[str, str], usd: str
) -> None:
    priced = cost(Usage(counts), version, **how)  # type: ignore[arg-type]

    assert D(usd) == priced.exact_usd
    assert sum((line.usd for line in priced.lines), D(0)) == priced.exact_usd
    assert not priced.estimated


@pytest.mark.parametrize(
    ("version", "counts", "mode", "usd"),
    [
        pytest.param(TURBO, {"input": 10, "cache_read": 1000}, "batch", "0.0012625",
                     id="no batch rate for cached input: the standard one"),
        pytest.param(TURBO, {"input": 1000}, "flex", "0.0025",
                     id="no flex rates at all: the standard ones"),
        pytest.param(TURBO, {"cache_read": 1000}, "priority", "0.00425",
                     id="no priority rate for cached input: priority input"),
        pytest.param(GROK, {"input": 150_000, "cache_read": 50_000}, None, "0.8",
                     id="no long rate for cached input: long input"),
    ],
)  # fmt: skip
def test_a_missing_rate_is_replaced_by_a_dearer_one_and_flagged(
    version: PriceVersion, counts: dict[str, int], mode: str | None, usd: str
) -> None:
    priced = cost(Usage(counts), version, mode=mode)

    assert D(usd) == priced.exact_usd
    assert priced.estimated


@pytest.mark.parametrize(
    ("version", "counts", "mode", "named"),
    [
        (SONNET, {"input": 1}, "priority", "priority mode"),
        (SONNET, {"input": 1}, "scale", "scale mode"),
        (TURBO, {"input_audio": 1}, "priority", "input_audio"),
        (TURBO, {"web_search": 1}, None, "web_search"),
        (SONNET, {"citation": 1}, None, "citation"),
        (PriceVersion("v/e@1", "v", "e", rates(input="0.02")), {"output": 1}, None, "output"),
    ],
)
def test_what_has_no_safe_rate_is_refused_by_name(
    version: PriceVersion, counts: dict[str, int], mode: str | None, named: str
) -> None:
    with pytest.raises(Unpriced, match=named) as refusal:
        cost(Usage(counts), version, mode=mode)

    assert version.id == refusal.value.facts["price_version"]


def test_the_usages_own_mode_and_region_count_unless_overruled() -> None:
    usage = Usage({"input": 1000}, mode="batch", region="us")

    assert D("0.00165") == cost(usage, SONNET).exact_usd
    assert D("0.0033") == cost(usage, SONNET, mode="standard").exact_usd


def test_a_mode_without_long_rates_is_safe_below_the_threshold_only() -> None:
    half = SONNET.tariff.without({"cache_read"}).times(D("0.5"))
    version = PriceVersion(
        "a/b@1", "a", "b", STANDARD, long_context=LongContext(200_000, LONG),
        modes={"batch": Tariff(half.rates), "priority": Tariff(LONG)},
    )  # fmt: skip
    short, long = Usage({"input": 1000}), Usage({"input": 300_000})

    assert D("0.0015") == cost(short, version, mode="batch").exact_usd
    assert D("0.006") == cost(short, version, mode="priority").exact_usd
    priced = cost(long, version, mode="batch")
    assert (D("1.8"), True) == (priced.exact_usd, priced.estimated)
    with pytest.raises(Unpriced, match="priority"):
        cost(long, version, mode="priority")


def test_no_digit_is_lost_between_the_largest_count_and_the_finest_rate() -> None:
    fine = PriceVersion("f/f@1", "f", "f", rates(input="0.123456789012"))

    assert D("123456.789011876543210988") == cost(Usage({"input": 10**12 - 1}), fine).exact_usd


COUNTS = st.dictionaries(
    st.sampled_from(sorted(TOKEN_KINDS - {"citation"})), st.integers(0, 10**9), max_size=6
)


@given(COUNTS, COUNTS)
def test_without_tiers_cost_is_additive(one: dict[str, int], other: dict[str, int]) -> None:
    apart = cost(Usage(one), TURBO).exact_usd + cost(Usage(other), TURBO).exact_usd

    assert apart == cost(Usage(one) + Usage(other), TURBO).exact_usd


@given(COUNTS, st.data(), st.sampled_from([SONNET, TURBO, GROK, PLAIN]))
def test_a_settle_of_no_more_tokens_never_costs_more_than_its_hold(
    held: dict[str, int], data: st.DataObject, version: PriceVersion
) -> None:
    used = {kind: data.draw(st.integers(0, count)) for kind, count in held.items()}

    hold = round_up(cost(Usage(held), version).exact_usd)

    assert round_half_even(cost(Usage(used), version).exact_usd) <= hold
