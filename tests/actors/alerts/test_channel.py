"""What a channel wants to hear, and when: plain functions."""

from datetime import UTC, datetime
from typing import Any

import pytest

from actors.alerts.channel import Channel, Lane, Quiet, lanes_of, retry_s
from protocols.events import Severity, StoredEvent

NIGHT = Quiet(22 * 60, 7 * 60, "Europe/Berlin")
NOON = Quiet(12 * 60, 13 * 60, "UTC")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def event(severity: Severity, at_ms: int = 0) -> StoredEvent:
    return StoredEvent(1, 1, at_ms, "x", severity, "", "", None, raised=True, data="{}")


@pytest.mark.parametrize(
    ("quiet", "now", "holds"),
    [
        (NIGHT, "2026-01-01T20:59", False),
        (NIGHT, "2026-01-01T21:00", True),
        (NIGHT, "2026-01-02T05:59", True),
        (NIGHT, "2026-01-02T06:00", False),
        (NIGHT, "2026-07-01T20:00", True),  # summer time: 22:00 there
        (NIGHT, "2026-07-02T05:00", False),
        (NOON, "2026-01-01T12:00", True),
        (NOON, "2026-01-01T12:59", True),
        (NOON, "2026-01-01T13:00", False),
        (Quiet(60, 60, "UTC"), "2026-01-01T01:00", False),
    ],
)
def test_quiet_hours_are_of_their_zone_and_may_pass_midnight(
    quiet: Quiet,
    now: str,
    holds: bool,  # noqa: FBT001  # a column of the table
) -> None:
    assert quiet.holds(at(now)) is holds


@pytest.mark.parametrize("more", [{"quiet": NIGHT}, {"group_s": 30}])
def test_what_is_critical_overtakes_what_waits(more: dict[str, Any]) -> None:
    urgent, normal = lanes_of(Channel("ops", "webhook", **more))
    grave, mild = event("critical"), event("warning")
    assert (urgent.takes(grave), urgent.takes(mild)) == (True, False)
    assert (normal.takes(grave), normal.takes(mild)) == (False, True)
    night = at("2026-01-01T23:00")
    assert not urgent.waits(grave, night)


def test_a_burst_is_awaited_from_its_first_event() -> None:
    lane = Lane(Channel("ops", "webhook", group_s=30), urgent=False)
    assert lane.waits(event("warning", 1_000), 30_999)
    assert not lane.waits(event("warning", 1_000), 31_000)


def test_a_channel_hears_nothing_below_its_severity() -> None:
    (lane,) = lanes_of(Channel("ops", "webhook", "warning"))
    assert [lane.takes(event(s)) for s in ("info", "warning", "critical")] == [False, True, True]


def test_pauses_double_up_to_an_hour() -> None:
    assert [retry_s(n) for n in (1, 2, 3, 10, 11, 500)] == [5, 10, 20, 2560, 3600, 3600]
