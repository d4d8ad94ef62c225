"""One alert for each policy, key, window, axis and threshold, whatever the order, whatever crashes.

The actors are real and so is the store; the clock is ours.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.alerts import AcknowledgeAlert, Alerts, AlertShown, ListAlerts, ShowAlert
from protocols.errors import NotFound
from protocols.events import Event, ListEvents
from protocols.ledger import Record, Release, Reserve, Settle
from protocols.policy.messages import SetPolicy
from tests.harness.house import Ask, World
from tests.properties.book import book

START_MS = 1_767_225_600_000
DAY_MS = 86_400_000


@pytest.fixture
def world() -> Iterator[World]:
    with closing(World(START_MS, book())) as living:
        yield living
        assert living.verify().problems == []


def limit(world: World, calls: int, **more: Any) -> None:
    policy = {"name": "cap", "limit": {"calls": calls}, "period": "daily", **more}
    world.ask(Ask("set_policy", SetPolicy.model_validate(policy)))


def reserve(component: str = "a", **more: Any) -> Ask:
    fields = {"component": component, "provider": "openai", "model": "small", "usd": "0.01"}
    return Ask("reserve", Reserve.model_validate(fields | more))


def events(world: World, kind: str | None = None) -> list[Event]:
    page = world.ask(Ask("list_events", ListEvents(type=kind, limit=1000)))
    return list(page.items)


def alerts(world: World, **filters: Any) -> list[AlertShown]:
    world.flush()
    page: Alerts = world.ask(Ask("list_alerts", ListAlerts(state="all", limit=1000, **filters)))
    return page.items


def short(event: Event) -> str:
    return event.type.removeprefix("dev.tekton.budget.").removesuffix(".v1")


def test_a_reserve_that_crosses_nothing_writes_no_outbox_row(world: World) -> None:
    limit(world, 100)
    before = events(world)
    for answer in world.ask_at_once([reserve() for _ in range(79)]):
        assert answer.status == "held"
    assert events(world) == before
    world.ask(reserve())
    assert [short(event) for event in events(world)[len(before) :]] == ["threshold.crossed"]


def test_each_threshold_is_told_once_with_its_figures(world: World) -> None:
    limit(world, 20, warn_at=[0.5, 0.8, 0.95])
    world.ask_at_once([reserve() for _ in range(30)])
    told = [(short(event), event.data["threshold"]) for event in events(world, "threshold.*")]
    assert told == [("threshold.crossed", share) for share in (0.5, 0.8, 0.95)]
    (reached,) = events(world, "limit.reached")
    figures = {name: reached.data[name] for name in ("limit", "used", "held", "left", "key")}
    assert figures == {"limit": 20, "used": 0, "held": 20, "left": 0, "key": None}
    assert (reached.severity, reached.subject, reached.raised) == ("critical", "cap", True)


def test_a_storm_of_refusals_is_one_alert_that_counts(world: World) -> None:
    limit(world, 1)
    world.ask_at_once([reserve() for _ in range(31)])
    (denied,) = alerts(world, type="call.denied")
    assert (denied.count, denied.state) == (30, "open")
    assert [event.raised for event in events(world, "call.denied")] == [True] + [False] * 29


def test_events_are_numbered_without_a_gap_and_survive_a_crash(world: World) -> None:
    limit(world, 2)
    world.ask_at_once([reserve() for _ in range(9)])
    world.crash()
    world.ask_at_once([reserve() for _ in range(9)])
    told = events(world)
    assert [event.seq for event in told] == list(range(1, len(told) + 1))
    assert Counter(short(event) for event in told) == {
        "policy.changed": 1, "threshold.crossed": 2, "limit.reached": 1, "call.denied": 16,
    }  # fmt: skip


def test_what_was_told_before_a_crash_is_not_told_again(world: World) -> None:
    limit(world, 10, warn_at=[0.5])
    world.ask_at_once([reserve() for _ in range(6)])
    world.crash()
    world.fell_the_spine()
    world.ask(reserve())
    assert len(events(world, "threshold.crossed")) == 1


def test_money_that_comes_back_and_goes_again_is_not_told_twice(world: World) -> None:
    limit(world, 10, warn_at=[0.5])
    held = world.ask_at_once([reserve() for _ in range(5)])
    for one in held:
        world.ask(Ask("release", Release(reservation_id=one.reservation_id)))
    world.ask_at_once([reserve() for _ in range(5)])
    assert len(events(world, "threshold.crossed")) == 1


def test_each_key_has_its_own_alert(world: World) -> None:
    limit(world, 2, each="component", warn_at=[0.5])
    world.ask_at_once([reserve(name) for name in ("a", "b", "a", "b")])
    keys = [(event.data["key"], event.data["threshold"]) for event in events(world, "threshold.*")]
    assert keys == [("a", 0.5), ("b", 0.5)]


def test_a_limit_that_was_raised_is_told_of_anew(world: World) -> None:
    limit(world, 10, warn_at=[0.5])
    world.ask_at_once([reserve() for _ in range(5)])
    limit(world, 20, warn_at=[0.5])
    world.ask_at_once([reserve() for _ in range(5)])
    assert [event.data["limit"] for event in events(world, "threshold.crossed")] == [10, 20]


def test_an_overrun_that_crosses_is_told_with_the_booking(world: World) -> None:
    policy = {"name": "cap", "limit": {"tokens": 1000}, "period": "daily", "warn_at": [0.5]}
    world.ask(Ask("set_policy", SetPolicy.model_validate(policy)))
    held = world.ask(reserve(usd=None, input_tokens=10, max_output_tokens=10))
    world.ask(Ask("settle", Settle(reservation_id=held.reservation_id, usage={"input": 600})))
    assert [short(event) for event in events(world)[1:]] == ["threshold.crossed", "settle.overrun"]


def test_usage_without_a_hold_crosses_too(world: World) -> None:
    limit(world, 2, warn_at=[0.5])
    record = Record(component="a", provider="openai", model="small", usage={"input": 5})
    world.ask(Ask("record", record))
    assert [event.data["used"] for event in events(world, "threshold.crossed")] == [1]


def test_an_alert_ends_with_its_window_and_the_next_window_has_its_own(world: World) -> None:
    limit(world, 2, warn_at=[0.5])
    world.ask(reserve())
    (first,) = alerts(world)
    assert (first.state, first.ends_at) == ("open", "2026-01-02T00:00:00.000Z")
    world.clock.pass_by(DAY_MS)
    world.sweep()
    (first,) = alerts(world)
    assert first.state == "resolved"
    world.ask(reserve())
    second, first = alerts(world, type="threshold.crossed")
    assert (first.state, second.state) == ("resolved", "open")
    assert [short(event) for event in events(world, "alert.*")] == ["alert.resolved"]


def test_an_alert_that_ended_while_the_daemon_was_away_ends_at_its_start(world: World) -> None:
    limit(world, 2, warn_at=[0.5])
    world.ask(reserve())
    world.crash(down_ms=DAY_MS)
    world.sweep()
    assert [alert.state for alert in alerts(world)] == ["resolved"]


def test_acknowledging_says_who_and_why_and_only_the_first_counts(world: World) -> None:
    limit(world, 2, warn_at=[0.5])
    world.ask(reserve())
    (alert,) = alerts(world)
    for note in ("I am on it", "me too"):
        ask = AcknowledgeAlert(alert_id=alert.alert_id, note=note)
        seen = world.ask(Ask("acknowledge_alert", ask))
        assert (seen.state, seen.acknowledged_by, seen.note) == (
            "acknowledged", "tester", "I am on it",
        )  # fmt: skip
    assert world.ask(Ask("list_alerts", ListAlerts())).items == []
    assert [short(event) for event in events(world, "alert.*")] == ["alert.acknowledged"]


def test_an_alert_that_nothing_ends_by_itself_is_over_once_it_is_seen(world: World) -> None:
    limit(world, 1, period="total")
    world.ask_at_once([reserve() for _ in range(2)])
    (denied,) = alerts(world, type="call.denied")
    assert denied.ends_at is None
    ask = AcknowledgeAlert(alert_id=denied.alert_id)
    assert world.ask(Ask("acknowledge_alert", ask)).state == "resolved"
    world.ask(reserve())
    assert [alert.state for alert in alerts(world, type="call.denied")] == ["open", "resolved"]


def test_an_unknown_alert_is_not_found(world: World) -> None:
    ask = ShowAlert(alert_id="alr_0000000000000099")
    assert isinstance(world.ask(Ask("show_alert", ask)), NotFound)


def test_a_rolling_window_is_told_again_only_when_what_told_it_has_left(world: World) -> None:
    limit(world, 2, period="rolling:60m", warn_at=[0.5], enforce="warn")
    for minutes in (0, 30, 61):
        world.clock.pass_by(minutes * 60_000)
        world.ask(reserve())
    assert len(events(world, "threshold.crossed")) == 2


@settings(max_examples=40, deadline=None)
@given(
    calls=st.integers(1, 12),
    shares=st.sets(st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9, 1.0]), max_size=4),
    steps=st.lists(st.sampled_from(["reserve", "release", "day", "crash", "fall"]), max_size=25),
)
def test_no_threshold_is_told_twice_in_a_window(
    calls: int, shares: set[float], steps: list[str]
) -> None:
    with closing(World(START_MS, book())) as world:
        limit(world, calls, warn_at=sorted(shares))
        held: list[str] = []
        for step in steps:
            match step:
                case "reserve":
                    answer = world.ask(reserve())
                    held += [answer.reservation_id] if hasattr(answer, "reservation_id") else []
                case "release" if held:
                    world.ask(Ask("release", Release(reservation_id=held.pop())))
                case "day":
                    world.clock.pass_by(DAY_MS)
                    world.sweep()
                    held.clear()
                case "crash":
                    world.crash()
                case "fall":
                    world.fell_the_spine()
        told = [
            (event.data["window"]["starts"], event.data["threshold"])
            for event in events(world)
            if short(event) in ("threshold.crossed", "limit.reached")
        ]
        assert len(told) == len(set(told))
        assert world.verify().problems == []
