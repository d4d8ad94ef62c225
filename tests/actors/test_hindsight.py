"""A replay against what happened, and against a recomputation by other hands."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from actors.hindsight.draft import draft_of
from actors.hindsight.replay import Replay as Replaying
from actors.routing.router import Errand, Router
from actors.routing.router import World as Lookup
from daemon.journal.files import DATABASE, connect_reader
from daemon.journal.past import fold
from protocols.hindsight import Replay, Replayed
from protocols.journal import BOOKINGS, FoldPast
from protocols.ledger import (
    Allocate,
    Allocation,
    Extend,
    ExtendAllocation,
    Record,
    Release,
    ReleaseAllocation,
    Reservation,
    Reserve,
    Settle,
)
from protocols.period import DAY_MS, HOUR_MS, Window
from protocols.policy.messages import RemovePolicy, SetPolicy
from protocols.routing.abilities import Abilities, AbilityTable
from protocols.routing.rule import RouteRule
from protocols.tiers import DEFAULT
from protocols.wanted import Job
from tests.harness.house import Ask, World
from tests.properties.book import book

START_MS = 1_767_225_540_000
"""A minute before midnight, and before a new year."""
ROUTER = Router(
    AbilityTable({("openai", "small"): Abilities(10**6, 10**6, frozenset())}),
    [RouteRule(name="r", candidates=("openai/small",))],
)
COMPONENTS = ("me", "you")
AXES = ("usd", "tokens", "calls")
ENDS = ("settle", "release", "extend")

Step = tuple[str, Any]


def policies(draw: st.DrawFn, name: str) -> dict[str, Any]:
    axis = draw(st.sampled_from(AXES))
    limit: Any = draw(st.integers(0, 8)) * {"usd": 1, "tokens": 40, "calls": 1}[axis]
    enforce = draw(st.sampled_from(("hard", "hard", "soft", "warn")))
    return {
        "name": name,
        "match": draw(st.sampled_from(({}, {"component": "me"}, {"model": "large"}))),
        "each": draw(st.sampled_from((None, "component"))),
        "limit": {axis: f"0.{limit:04d}" if axis == "usd" else limit},
        "period": draw(st.sampled_from(("daily", "total", "hourly", "rolling:2h", "per_session"))),
        "enforce": enforce,
        "on_limit": draw(st.sampled_from(("deny", "downgrade"))),
    }


@st.composite
def stories(draw: st.DrawFn) -> list[Step]:
    """Policies set and removed, calls of every kind, their ends, and time that passes."""
    kinds = (
        "policy", "reserve", "reserve", "reserve", "reserve", "settle", "settle", "settle",
        "release", "record", "extend", "allocate", "grow", "free", "remove", "pass",
    )  # fmt: skip
    steps: list[Step] = []
    for _ in range(draw(st.integers(5, 40))):
        kind = draw(st.sampled_from(kinds))
        if kind == "policy":
            steps.append((kind, policies(draw, draw(st.sampled_from(("p", "q"))))))
        elif kind == "pass":
            steps.append((kind, draw(st.sampled_from((1_000, 61_000, HOUR_MS, DAY_MS)))))
        else:
            steps.append((kind, {
                "component": draw(st.sampled_from(COMPONENTS)),
                "model": draw(st.sampled_from(("large", "large", "small"))),
                "priority": draw(st.sampled_from((5, 9))),
                "input": draw(st.integers(1, 60)), "output": draw(st.integers(1, 60)),
                "at": draw(st.integers(0, 5)), "ttl_s": draw(st.sampled_from((30, 86_400))),
                "context_id": draw(st.sampled_from((None, "s"))),
                "inside": draw(st.booleans()),
            }))  # fmt: skip
    return steps


@contextmanager
def told(steps: list[Step], *, downgrade: bool = True) -> Iterator[World]:
    """A house in which all this happened."""
    first = {
        "name": "p", "limit": {"usd": "0.0009"}, "period": "daily", "on_limit": "downgrade",
    }  # fmt: skip
    with closing(World(START_MS, book(), ROUTER)) as world:
        holds: list[str] = []
        allocations: list[str] = []
        for kind, fields in [("policy", first), *steps]:
            never = {"on_limit": "deny"} if kind == "policy" and not downgrade else {}
            play(world, kind, fields | never if never else fields, holds, allocations)
        world.flush()
        yield world


def play(world: World, kind: str, of: Any, holds: list[str], allocations: list[str]) -> None:
    if kind == "policy":
        world.ask(Ask("set_policy", SetPolicy.model_validate(of)))
    elif kind == "pass":
        world.clock.pass_by(of)
        world.sweep()
    elif kind == "remove":
        world.ask(Ask("remove_policy", RemovePolicy(name="q")))
    elif kind in ("reserve", "record", "allocate"):
        begin(world, kind, of, holds, allocations)
    elif kind in ("grow", "free") and allocations:
        name = {"allocation_id": allocations[of["at"] % len(allocations)]}
        more = name | {"tokens": of["input"]}
        if kind == "grow":
            world.ask(Ask("extend_allocation", ExtendAllocation.model_validate(more)))
        else:
            world.ask(Ask("release_allocation", ReleaseAllocation.model_validate(name)))
    elif holds and kind in ENDS:
        world.ask(Ask(kind, end(kind, of, holds[of["at"] % len(holds)])))


def begin(world: World, kind: str, of: Any, holds: list[str], allocations: list[str]) -> None:
    """A call that is held, one that nobody held for, or an allocation."""
    who = {"component": of["component"], "provider": "openai", "model": of["model"]}
    inside = {"allocation_id": allocations[-1]} if allocations and of["inside"] else {}
    if kind == "reserve":
        wanted = {
            "input_tokens": of["input"], "max_output_tokens": of["output"],
            "priority": of["priority"], "ttl_s": of["ttl_s"], "context_id": of["context_id"],
        }  # fmt: skip
        reply = world.ask(Ask("reserve", Reserve.model_validate(who | inside | wanted)))
        if isinstance(reply, Reservation):
            holds.append(reply.reservation_id)
    elif kind == "record":
        used = {"usage": {"input": of["input"], "output": of["output"]}}
        world.ask(Ask("record", Record.model_validate(who | used)))
    else:
        fields = {"component": of["component"], "context_id": "s", "tokens": of["input"] * 2}
        reply = world.ask(Ask("allocate", Allocate.model_validate(fields)))
        if isinstance(reply, Allocation):
            allocations.append(reply.allocation_id)


def end(kind: str, of: Any, hold: str) -> Settle | Release | Extend:
    if kind == "settle":
        used = {"input": of["input"], "output": of["output"]}
        return Settle(reservation_id=hold, usage=used, final=of["inside"])
    if kind == "release":
        return Release(reservation_id=hold)
    return Extend(reservation_id=hold, tokens=of["input"])


def replayed(world: World, since_ms: int = 0, **fields: Any) -> Replayed:
    """Straight from the file, as the daemon's reading thread does."""
    draft = draft_of(Replay.model_validate(fields), book(), DEFAULT, ROUTER)
    again = Replaying(draft, Window(since_ms, world.clock.wall_ms + 1))
    ask = FoldPast(since_ms, world.clock.wall_ms + 1, again.begin, again.add, lambda *_: None)
    with closing(connect_reader(world.data_dir / DATABASE)) as db:
        fold(db, ask)
    return again.shown(1_000)


SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_what_a_limit_did_not_count_when_it_came_to_mean_this_is_not_counted_again() -> None:
    call = {
        "component": "me", "model": "large", "priority": 5, "input": 1, "output": 1, "at": 0,
        "ttl_s": 30, "context_id": None, "inside": False,
    }  # fmt: skip
    limit = {"name": "p", "match": {}, "limit": {"usd": "0.0001"}, "enforce": "hard"}
    calls: list[Step] = [("reserve", call), ("record", call)] * 2
    steps: list[Step] = [
        *calls, ("policy", limit | {"period": "total"}), ("policy", limit | {"period": "daily"}),
        *calls, ("pass", 1_000), ("reserve", call),
    ]  # fmt: skip
    with told(steps) as world:
        found = replayed(world, world.clock.wall_ms)

    assert (found.calls_then, found.calls_now) == (1, 1)


def test_what_is_drawn_from_an_allocation_of_the_day_before_is_held_again() -> None:
    call = {
        "component": "me", "model": "large", "priority": 5, "input": 1, "output": 1, "at": 0,
        "ttl_s": 86_400, "context_id": None, "inside": True,
    }  # fmt: skip
    steps: list[Step] = [
        ("allocate", call | {"input": 2}), ("pass", HOUR_MS),
        *[("reserve", call)] * 3, ("record", call), ("settle", call), ("reserve", call),
    ]  # fmt: skip
    with told(steps) as world:
        found = replayed(world, world.clock.wall_ms)

    assert (found.calls_then, found.denied_then) == (found.calls_now, found.denied_now)
    assert found.denied_then
    assert found.calls_then > 1


@SLOW
@given(stories(), st.integers(0, 3))
def test_without_a_draft_nothing_would_have_gone_another_way(steps: list[Step], part: int) -> None:
    with told(steps) as world:
        since = START_MS + part * (world.clock.wall_ms - START_MS) // 4
        for since_ms in (0, since):
            found = replayed(world, since_ms)

            note(found.differences)
            assert found.differences_total == 0
            assert (found.would_be_usd, found.change_usd) == (found.booked_usd, "0.000000000")
            assert (found.calls_then, found.denied_then) == (found.calls_now, found.denied_now)
        assert world.verify().problems == []


@SLOW
@given(stories(), st.sampled_from(AXES), st.integers(0, 6), st.sampled_from(("me", "*")))
def test_a_draft_refuses_what_a_recomputation_by_hand_refuses(
    steps: list[Step], axis: str, limit: int, who: str
) -> None:
    """One total limit in place of all policies, added up again from the entries alone."""
    steps = [step for step in steps if step[0] not in ("allocate", "extend")]
    cap = limit * {"usd": 100_000, "tokens": 40, "calls": 1}[axis]
    shown: Any = f"0.{limit:04d}" if axis == "usd" else cap
    draft = {
        "name": "d", "match": {"component": who}, "period": "total", "limit": {axis: shown},
    }  # fmt: skip
    with told(steps, downgrade=False) as world:
        found = replayed(world, policies=[draft], without=["p", "q"])
        again = replayed(world, policies=[draft], without=["p", "q"])
        expected = by_hand(world, axis, cap, who)

    note(expected)
    assert again == found
    assert {row.entry_id for row in found.differences if row.what == "refused"} == expected[
        "refused"
    ]
    assert {row.entry_id for row in found.differences if row.what == "let_in"} == expected["let_in"]
    assert usd(found.would_be_usd) == expected["usd"]
    assert found.denied_now == expected["denied"]


def by_hand(world: World, axis: str, cap: int, who: str) -> dict[str, Any]:
    """Used plus held plus asked against the limit, entry by entry."""
    used, held, gone = 0, dict[str, int](), set[str]()
    found: dict[str, Any] = {"refused": set(), "let_in": set(), "usd": 0, "denied": 0}
    for name, _, kind, component, subject, body in entries(world):
        ours = who in ("*", component)
        amount = body.get(axis, 0) if ours else 0
        if kind in ("held", "denied") and "extends" not in body:
            fits = not amount or used + sum(held.values()) + amount <= cap
            found["denied"] += not fits
            if kind == "held" and fits:
                held[subject] = amount
            elif kind == "held":
                gone.add(subject)
                found["refused"].add(name)
            elif fits:
                used += amount
                found["usd"] += body["usd"]
                found["let_in"].add(name)
        elif kind in ("released", "expired"):
            held.pop(subject, None)
        elif kind in BOOKINGS and subject not in gone:
            found["usd"] += body["usd"]
            used += amount
            held[subject] = max(0, held.get(subject, 0) - amount)
            if body.get("final", True):
                del held[subject]
    return found


def entries(world: World) -> Iterator[Any]:
    with closing(connect_reader(world.data_dir / DATABASE)) as db:
        rows = db.execute("SELECT seq, at_ms, kind, component, subject, body FROM entry")
        for seq, at_ms, kind, component, subject, body in rows:
            yield f"ent_{seq:016d}", at_ms, kind, component, subject, json.loads(body)


def usd(text: str) -> int:
    return int(text.replace(".", ""))


def test_a_replay_runs_on_another_thread_and_remembers_its_routes_apart() -> None:
    """Else its prices would be found by those who live."""
    job = Job(component="me", input_tokens=10, max_output_tokens=10)
    errand, prices = Errand(job, "openai", "large"), book()
    living = Lookup(prices, DEFAULT, None, START_MS)
    plan = ROUTER.plan(errand, living)
    rates = {"rates": {"input": "9", "output": "9"}}
    asked = {"prices": [{"provider": "openai", "model": "small", "price": rates}]}

    draft = draft_of(Replay.model_validate(asked), prices, DEFAULT, ROUTER)
    draft.router.plan(errand, Lookup(draft.book, DEFAULT, None, START_MS))

    assert ROUTER.plan(errand, living) is plan
