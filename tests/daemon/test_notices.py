"""What the daemon notices of itself is an event, and where it matters an alert."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.notices import TROUBLE, ClockWatch
from protocols.alerts import ListAlerts
from protocols.events import ListEvents
from tests.daemon_process import running
from tests.harness.clock import FakeClock
from tests.harness.house import Ask, World
from tests.properties.book import book

HOUR_MS = 3_600_000
START_MS = 1_767_225_600_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START_MS)


@pytest.mark.parametrize("jump_ms", [HOUR_MS, -HOUR_MS])
def test_a_clock_that_jumps_is_told_of_once(clock: FakeClock, jump_ms: int) -> None:
    watch = ClockWatch(clock, START_MS)
    clock.pass_by(HOUR_MS)
    assert watch.look() == []
    clock.step(jump_ms)
    (draft,) = watch.look()
    assert (draft.body["type"], draft.body["data"]) == ("clock.jumped", {"jump_ms": jump_ms})
    assert watch.look() == []


def test_a_clock_behind_the_journal_at_the_start_was_set_back(clock: FakeClock) -> None:
    (draft,) = ClockWatch(clock, START_MS + HOUR_MS).look()
    assert draft.body["data"] == {"jump_ms": -HOUR_MS}


def test_small_corrections_are_nobody_s_business(clock: FakeClock) -> None:
    watch = ClockWatch(clock, START_MS)
    clock.step(-5_000)
    assert watch.look() == []


@pytest.fixture
def world() -> Iterator[World]:
    with closing(World(START_MS, book())) as living:
        yield living


def test_a_part_that_fell_and_rose_is_an_alert(world: World) -> None:
    world.fell_the_spine()
    world.flush()
    (event,) = world.ask(Ask("list_events", ListEvents(type="component.restarted"))).items
    assert (event.subject, event.raised) == ("spine", True)
    assert event.data["restarts"] == 1


def test_a_failed_store_is_told_of_at_the_next_start_and_only_then(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / TROUBLE).write_text("the journal died: disk I/O error\n")
    with running(tmp_path) as daemon:
        (alert,) = daemon.get("/alerts").body["items"]
        assert (alert["type"], alert["severity"]) == ("storage.trouble", "critical")
        assert "disk I/O error" in alert["detail"]
        assert daemon.stop() == 0
    with running(tmp_path) as daemon:
        events = daemon.get("/outbox?type=storage.*").body["items"]
        assert len(events) == 1


def test_nothing_is_open_where_nothing_happened(world: World) -> None:
    assert world.ask(Ask("list_alerts", ListAlerts())).items == []
