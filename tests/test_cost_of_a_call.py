"""What a call costs, in numbers that do not depend on the machine's mood.

Function calls, statements and bytes, counted in the house's own ledgers and policy engine with the
ten policies of the benchmark. A bound here is what the code does today and a little room: when a
change passes one, either it does work that the call does not need, or the bound is raised with the
reason in the commit.
"""

import gc
import sqlite3
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import to_json

from actors.policy.remedy import CHEAPER_MAX
from actors.runtime import NOBODY
from benchmarks.calls import USAGE, wanted
from benchmarks.prefill import Asked, House, Past
from benchmarks.rules import RULES
from daemon.config.load import load
from daemon.journal.files import connect_writer
from daemon.journal.seeds import changed_seeds
from protocols.errors import Denied
from protocols.ledger import Reserve, Settle
from protocols.policy.messages import SetPolicy
from protocols.routing.messages import Route
from protocols.written import writer

NOW_MS = 1_795_000_000_000
RESERVE_CALLS, SETTLE_CALLS = 175, 200
"""Python and C functions, the answer as JSON included."""
STATEMENTS_OF_ONE, STATEMENTS_OF_MANY = 20, 3
BYTES_OF_A_HOLD = 2_500
"""What an open hold keeps in memory, in ledger and policy engine."""


DENIED_CALLS, ROUTE_CALLS, KNOWN_ROUTE_CALLS = 800, 1_050, 750
"""A refusal names what would fit and three cheaper models of a hundred and more; a route looks at
225 models, of which 50 are shown. A route that is asked again finds its list ready.
"""


class Desk:
    """A house in the middle of its day: every window is open, every memo is warm."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.house = House(db, Past(NOW_MS))
        for seed in changed_seeds(load(RULES, environ={}), {}):
            self.house.ask("policy", seed, NOBODY)
        for number in range(64):
            self.settle(self.reserve(number))
        self.house.flush()

    def reserve(self, number: int = 0) -> str:
        call = Asked()
        asked = Reserve(**wanted(number, number))
        self.house.ask(f"ledger:{asked.component}", asked, call)
        writer(type(call.reply))(call.reply)
        return str(call.reply.reservation_id)

    def refused(self, number: int = 0) -> int:
        """Ask for what is not there; how many cheaper models were named."""
        call = Asked()
        asked = {**wanted(7, 7), "component": "component-7", "input_tokens": 900 + number}
        self.house.ask("ledger:component-7", Reserve(**asked), call)
        assert isinstance(call.reply, Denied)
        to_json(call.reply.problem())
        return len(call.reply.facts["cheaper"])  # type: ignore[arg-type]

    def route(self, number: int = 0) -> int:
        """Ask which model may do it; how many were looked at."""
        call = Asked()
        job = {name: wanted(0, 0)[name] for name in ("component", "task_type", "model")}
        asked = Route(**job, provider="openai", input_tokens=900 + number, max_output_tokens=400)
        self.house.ask("ledger:component-0", asked, call)
        writer(type(call.reply))(call.reply)
        return int(call.reply.candidates_total)

    def settle(self, hold: str) -> None:
        call = Asked()
        component = next(
            name for name, ledger in self.house.actors.items()
            if name != "policy" and hold in ledger.desk.holds  # type: ignore[union-attr]
        )  # fmt: skip
        self.house.ask(component, Settle(reservation_id=hold, usage=USAGE), call)
        writer(type(call.reply))(call.reply)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    path: Path = tmp_path_factory.mktemp("cost") / "journal.sqlite"
    db = connect_writer(path)
    try:
        yield Desk(db)
    finally:
        db.close()


def calls_of(work: Callable[[], object]) -> int:
    """How many functions are entered."""
    count = 0

    def heard(_: object, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(heard)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def statements_of(desk: Desk, work: Callable[[], object]) -> int:
    """How many SQL statements its commit takes."""
    desk.house.flush()
    work()
    told: list[str] = []
    desk.house.db.set_trace_callback(told.append)
    desk.house.flush()
    desk.house.db.set_trace_callback(None)
    return len(told)


def test_a_reserve_enters_no_more_functions_than_it_needs(desk: Desk) -> None:
    assert min(calls_of(desk.reserve) for _ in range(5)) <= RESERVE_CALLS


def test_a_settle_enters_no_more_functions_than_it_needs(desk: Desk) -> None:
    holds = [desk.reserve() for _ in range(5)]

    assert min(calls_of(lambda hold=hold: desk.settle(hold)) for hold in holds) <= SETTLE_CALLS  # type: ignore[misc]


def test_a_refusal_and_its_remedies_cost_little_more_than_a_hold(desk: Desk) -> None:
    limit = {"name": "little", "match": {"component": "component-7"}, "limit": {"usd": "0.0002"}}
    desk.house.ask("policy", SetPolicy.model_validate(limit | {"period": "daily"}), NOBODY)
    assert desk.refused() == CHEAPER_MAX

    assert min(calls_of(desk.refused) for _ in range(5)) <= DENIED_CALLS
    assert min(calls_of(lambda n=n: desk.refused(n)) for n in range(1, 6)) <= DENIED_CALLS  # type: ignore[misc]


def test_a_route_over_hundreds_of_models_enters_few_functions_for_each(desk: Desk) -> None:
    assert desk.route() > 200

    assert min(calls_of(lambda n=n: desk.route(n)) for n in range(1, 6)) <= ROUTE_CALLS  # type: ignore[misc]
    assert min(calls_of(desk.route) for _ in range(5)) <= KNOWN_ROUTE_CALLS


def test_policies_that_do_not_match_cost_a_reserve_nothing(desk: Desk) -> None:
    before = min(calls_of(desk.reserve) for _ in range(5))
    rules = load(RULES, environ={})
    stranger = rules.policies[0].model_copy(
        update={"match": rules.policies[0].match.model_copy(update={"component": "elsewhere"})}
    )
    for number in range(200):
        policy = stranger.model_copy(update={"name": f"stranger-{number}"})
        settings = rules.model_copy(update={"policies": (policy,)})
        for seed in changed_seeds(settings, {}):
            desk.house.ask("policy", seed, NOBODY)
    desk.reserve()

    assert min(calls_of(desk.reserve) for _ in range(5)) == before


def test_a_commit_of_one_takes_few_statements(desk: Desk) -> None:
    assert statements_of(desk, desk.reserve) <= STATEMENTS_OF_ONE
    hold = desk.reserve()
    assert statements_of(desk, lambda: desk.settle(hold)) <= STATEMENTS_OF_ONE


def test_many_in_one_commit_share_what_they_can(desk: Desk) -> None:
    def many() -> None:
        for hold in [desk.reserve() for _ in range(64)]:
            desk.settle(hold)

    assert statements_of(desk, many) <= 128 * STATEMENTS_OF_MANY


def test_an_open_hold_keeps_little_in_memory(desk: Desk) -> None:
    count = 500
    desk.house.flush()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        made: list[Any] = [desk.reserve() for _ in range(count)]
        desk.house.flush()
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert (after - before) / count <= BYTES_OF_A_HOLD
    for hold in made:
        desk.settle(hold)
