"""What cheaper models would have saved, against each booking priced on its own."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.hindsight.savings import Tally
from actors.routing.router import Router, World
from protocols.costing import cost
from protocols.journal import StoredBooking
from protocols.money import NANOS_PER_USD, round_half_even
from protocols.period import Window
from protocols.prices import LongContext, PriceBook, PriceVersion
from protocols.routing.abilities import Abilities, AbilityTable
from protocols.routing.rule import RouteRule
from protocols.savings import FindSavings
from protocols.tiers import DEFAULT
from protocols.usage import Usage

MODELS = {"large": "8", "middle": "4", "small": "2", "tiny": "1", "blind": "1"}
LONG = 200_000
NAMES = tuple(MODELS)


def version(name: str, rate: str) -> PriceVersion:
    rates = {"input": Decimal(rate), "output": Decimal(rate) * 5, "cache_read": Decimal("0.1")}
    tier = LongContext(LONG, {kind: value * 2 for kind, value in rates.items()})
    return PriceVersion(f"openai/{name}@1", "openai", name, rates, long_context=tier)


BOOK = PriceBook([version(name, rate) for name, rate in MODELS.items()], "2026-01-01")
ROUTER = Router(
    AbilityTable(
        {
            ("openai", name): Abilities(
                100_000 if name == "small" else 10**6,
                10**6,
                frozenset() if name == "blind" else frozenset({"tools"}),
            )
            for name in MODELS
        }
    ),
    [RouteRule(name="r", candidates=("openai/*",), local=("ollama/llama3",))],
)
usages = st.fixed_dictionaries(
    {
        "input": st.sampled_from((10, 5_000, 90_000, 150_000, 250_000)),
        "output": st.integers(1, 900),
        "cache_read": st.integers(0, 4_000),
    }
)
bookings = st.lists(
    st.tuples(st.sampled_from(("me", "you")), st.sampled_from(NAMES), usages, st.booleans()),
    min_size=1,
    max_size=12,
)


def entry(seq: int, component: str, model: str, usage: dict[str, int], needs: list[str]) -> Any:
    """A booking as the journal has it, and the hold before it."""
    usd = round_half_even(cost(Usage(usage), version(model, MODELS[model])).exact_usd)
    body = {
        "provider": "openai", "model": model, "task_type": "default", "usd": usd, "tokens": 1,
        "calls": 1, "usage": usage, "needs": needs,
    }  # fmt: skip
    return [
        StoredBooking(seq, seq, kind, component, f"h{seq}", body) for kind in ("held", "settled")
    ]


@settings(max_examples=200)
@given(bookings)
def test_each_saving_is_what_the_calls_would_have_cost_one_by_one(told: list[Any]) -> None:
    tally = Tally(FindSavings(limit=1000), Window(0, 10**6))
    groups: dict[tuple[str, str], list[dict[str, int]]] = defaultdict(list)
    needy: set[tuple[str, str]] = set()
    for seq, (component, model, usage, tools) in enumerate(told):
        for one in entry(seq, component, model, usage, ["tools"] if tools else []):
            tally.add(one)
        groups[component, model].append(usage)
        if tools:
            needy.add((component, model))

    found = tally.shown(ROUTER, World(BOOK, DEFAULT, None, 0))

    for item in found.items:
        calls = groups[item.component, item.model]
        assert item.calls == len(calls)
        for one in item.alternatives:
            assert one.model != "small" or largest(calls) <= 100_000
            assert one.model != "blind" or (item.component, item.model) not in needy
            assert MODELS[one.model] < MODELS[item.model]
            exact = sum(
                cost(Usage(usage), version(one.model, MODELS[one.model])).exact_usd
                for usage in calls
            )
            would_be = Decimal(one.would_be_usd)
            assert would_be >= exact, "never less than it would cost"
            if all(usage["input"] + usage["cache_read"] <= 128_000 for usage in calls):
                assert would_be - exact < Decimal(1) / NANOS_PER_USD, "and no more, of short calls"
            assert Decimal(one.saving_usd) == Decimal(item.booked_usd) - would_be > 0
    savings = [Decimal(item.alternatives[-1].saving_usd) for item in found.items]
    assert savings == sorted(savings, reverse=True)
    assert sum(savings) == Decimal(found.saving_usd)


def largest(calls: list[dict[str, int]]) -> int:
    return max(usage["input"] + usage["cache_read"] for usage in calls) + max(
        usage["output"] for usage in calls
    )
