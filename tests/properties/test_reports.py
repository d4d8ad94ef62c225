"""Every figure of every report is the sum of its entries: random questions, answered twice."""

import random
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.prices.correct import corrections
from protocols.journal import EntryShown, FindProvisional, ListEntries
from protocols.ledger import Allocate, Record, Reserve, Settle
from protocols.policy.messages import SetPolicy
from protocols.prices import PriceBook, PriceVersion
from protocols.reports import Figures, ShowReport, SpendReport
from tests.harness.house import Ask, World
from tests.properties import brute
from tests.properties.book import PROVIDERS, book
from tests.properties.sums import HOUR, MINUTE, clocks_change

START_MS = clocks_change(2026, 10) - 60 * HOUR
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Auckland"]
POLICIES: list[dict[str, Any]] = [
    {"name": "all", "budget": "house", "limit": {"tokens": 90_000}, "period": "daily"},
    {"name": "each", "budget": "house", "each": "component", "limit": {"usd": "0.05"},
     "period": "daily", "zone": "Europe/Berlin"},
    {"name": "a", "budget": "lab", "match": {"component": "a"}, "limit": {"calls": 25},
     "period": "rolling:5h"},
    {"name": "web", "match": {"tags": {"team": "w*"}}, "limit": {"usd": "9"}, "period": "total"},
]  # fmt: skip
CALLS = 260

FIGURES = {
    "cost_usd": "usd", "tokens": "tokens", "input_tokens": "input",
    "cache_read_tokens": "cache_read", "cache_write_tokens": "cache_write",
    "output_tokens": "output", "reasoning_tokens": "reasoning", "calls": "calls",
    "denied": "denied", "overruns": "overruns", "late": "late", "estimated": "estimated",
    "cache_saved_usd": "saved",
}  # fmt: skip


class Told:
    """A house with a history, and its entries."""

    def __init__(self, world: World, parts: list[brute.Part], budgets: dict[str, str]) -> None:
        self.world = world
        self.parts = parts
        self.budgets = budgets


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    """Some days around the end of summer time: calls of all kinds, refusals, late ones, draws."""
    world = World(START_MS, book())
    try:
        for policy in POLICIES:
            world.ask(
                Ask("set_policy", SetPolicy.model_validate({"unpriced": "envelope"} | policy))
            )
        live(world, random.Random(4))
        correct(world)
        entries = all_entries(world)
        kinds = {entry.kind for entry in entries}
        assert {"settled", "overrun", "late", "recorded", "denied", "corrected"} <= kinds
        assert any(any(entry.body.get("covered", ())) for entry in entries)
        assert world.verify().problems == []
        budgets = {policy["name"]: policy.get("budget", "default") for policy in POLICIES}
        yield Told(world, brute.parts(entries), budgets)
    finally:
        world.close()


def live(world: World, dice: random.Random) -> None:
    allocations: list[str] = []
    for _ in range(CALLS):
        world.clock.pass_by(dice.choice([0, MINUTE, 17 * MINUTE, HOUR, 2 * HOUR]))
        model = dice.choice(["small", "large", "large", "tiny", "mystery"])
        component = dice.choice("ab")
        facts: dict[str, Any] = {
            "component": component, "provider": PROVIDERS[model], "model": model,
            "task_type": dice.choice(["chat", "code"]),
            "tags": dice.choice([{}, {"team": "web"}, {"team": "ops", "run": "1"}]),
        }  # fmt: skip
        usage = {kind: dice.randrange(3000) for kind in ("input", "cache_read", "output")}
        match dice.randrange(8):
            case 0:
                world.ask(Ask("record", Record(**facts, usage=usage)))
            case 1:
                fields = {"component": component, "context_id": "s", "ttl_s": 80_000}
                allocation = world.ask(Ask("allocate", Allocate(**fields, tokens=9000)))
                allocations += (getattr(allocation, "allocation_id", None),)
            case _:
                if allocations and dice.random() < 0.3:
                    facts["allocation_id"] = allocations[-1]
                asked = Reserve(**facts, input_tokens=2000, max_output_tokens=1500, ttl_s=60)
                held = world.ask(Ask("reserve", asked))
                world.clock.pass_by(dice.choice([0, 0, MINUTE * 2]))
                world.sweep()
                if name := getattr(held, "reservation_id", None):
                    world.ask(Ask("settle", Settle(reservation_id=name, usage=usage)))


def correct(world: World) -> None:
    """The mystery gets a price."""
    world.flush()
    found = world._call(world._house.store.provisional, FindProvisional())
    rates = {"input": Decimal(2), "output": Decimal(4), "cache_read": Decimal(1)}
    known = PriceVersion(id="openai/mystery@2", provider="openai", model="mystery", rates=rates)
    told = corrections(found, PriceBook([known], "2026-10-30"), "tester")
    world._portal.call(world._house.roster.tell, "policy", told)
    world.flush()


def all_entries(world: World) -> list[EntryShown]:
    found: list[EntryShown] = []
    cursor = None
    while True:
        page = world.ask(Ask("list_entries", ListEntries(limit=1000, cursor=cursor)))
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


dimensions = st.sampled_from(
    ["component", "provider", "model", "tier", "task_type", "policy", "budget", "tag.team",
     "tag.run", "price_version"]
)  # fmt: skip
quarters = st.integers(-8, 4 * 24 * 12)
questions = st.fixed_dictionaries(
    {
        "zone": st.sampled_from(ZONES),
        "group_by": st.lists(dimensions, unique=True, max_size=4),
        "limit": st.just(10_000),
    },
    optional={
        "every": st.sampled_from(["hour", "day", "week", "month"]),
        "component": st.sampled_from(["a", "b", "c"]),
        "model": st.sampled_from(["*", "s*", "*y", "large"]),
        "task_type": st.sampled_from(["chat", "c*"]),
        "policy": st.sampled_from(["all", "each", "a", "web", "none"]),
        "budget": st.sampled_from(["house", "lab", "default"]),
        "tags": st.sampled_from([{"team": "w*"}, {"team": "*", "run": "1"}]),
    },
)


@given(question=questions, ends=st.tuples(quarters, quarters).filter(lambda two: two[0] < two[1]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_report_is_the_sum_of_its_entries(
    told: Told, question: dict[str, Any], ends: tuple[int, int]
) -> None:
    since, until = (datetime.fromtimestamp(START_MS / 1000 + n * 900, UTC) for n in ends)
    span = {"since": since.isoformat(), "until": until.isoformat()}

    answer = told.world.ask(Ask("show_report", ShowReport.model_validate(question | span)))
    rows, total = brute.report(told.parts, question, told.budgets, since, until)

    assert isinstance(answer, SpendReport), answer
    assert same(answer.total, total)
    shown = {key_of(row.starts, row.group): row.figures for row in answer.items}
    assert len(shown) == len(answer.items)
    for key, figures in shown.items():
        assert same(figures, rows.get(key, {})), key
    assert rows.keys() <= shown.keys()


def key_of(starts: str | None, group: dict[str, str | None]) -> tuple[Any, ...]:
    return (None if starts is None else datetime.fromisoformat(starts), *group.values())


def same(figures: Figures, sums: brute.Sums) -> bool:
    """To the nano-dollar, and to the last token."""
    shown = asdict(figures)
    wanted = {name: sums.get(short, 0) for name, short in FIGURES.items()}
    wanted["cost_usd"] = Fraction(wanted["cost_usd"], 10**9)
    wanted["cache_saved_usd"] = Fraction(round(Fraction(wanted["cache_saved_usd"]) * 10**9), 10**9)
    money = ("cost_usd", "cache_saved_usd")
    return wanted == {n: Fraction(v) if n in money else v for n, v in shown.items()}
