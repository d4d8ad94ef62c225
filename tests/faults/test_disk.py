"""Disks that fail, lie, fill up, slow down or lose power: no answer is lost, none counts twice."""

import os
from collections.abc import Iterable
from typing import Any

import anyio
import anyio.to_thread
import pytest

from daemon.journal.verify import verify
from tests.daemon_process import Daemon
from tests.faults.disk import Disk
from tests.harness.callers import (
    RESERVE,
    Notes,
    Operation,
    check_one_effect_each,
    hold_to_its_word,
    load,
)

pytestmark = pytest.mark.anyio

LONG = os.environ.get("BUDGET_PROOF") == "long"
MINE = RESERVE | {"component": "apollo"}


async def until_it_dies(daemon: Daemon, number: int = 0) -> list[Operation]:
    """Load on a daemon whose disk is about to fail; everything that was asked."""
    notes = Notes()
    with anyio.fail_after(60):
        await load(daemon, notes, number)
    return notes.operations


async def some_answers(daemon: Daemon, number: int = 0) -> list[Operation]:
    """Load until there were so many answers; then the daemon is killed in the middle of it."""
    notes = Notes()
    async with anyio.create_task_group() as group:
        group.start_soon(load, daemon, notes, number)
        with anyio.fail_after(60):
            await notes.enough.wait()
        daemon.kill()
    return notes.operations


# Power


@pytest.mark.parametrize("round_", range(12 if LONG else 1))
async def test_a_power_loss_takes_nothing_that_was_answered(
    daemon: Daemon, disk: Disk, round_: int
) -> None:
    """F3: whatever was not synced is gone, in every file."""
    daemon.start()
    known = await some_answers(daemon, round_)
    disk.lose_power()
    daemon.start()
    await hold_to_its_word(daemon, known)
    check_one_effect_each(daemon, known)


async def test_a_power_loss_while_recovering_from_one(daemon: Daemon, disk: Disk) -> None:
    """F2, T-SQ4: the next start dies in the middle, loses power again, and the one after works."""
    daemon.start()
    known = await some_answers(daemon)
    disk.lose_power()
    for after in range(0, 12, 1 if LONG else 6):
        disk.strike("any", "data", "die", after=after)
        assert daemon.spawn().wait() in {-9, 0}
        disk.lose_power()
    disk.heal()
    daemon.start()
    await hold_to_its_word(daemon, known)
    check_one_effect_each(daemon, known)


async def test_a_disk_that_lies_about_syncing_is_noticed(daemon: Daemon, disk: Disk) -> None:
    """The log never reaches the disk; the anchor does, and knows better."""
    daemon.start()
    disk.strike("sync", "journal.sqlite", "lie")
    await some_answers(daemon)
    assert disk.lose_power("journal.sqlite-wal", "journal.sqlite") > 0
    disk.heal()

    assert daemon.spawn().wait() == 65
    assert "--accept-loss" in daemon.lines[-1]
    assert any("anchor" in problem for problem in verify(daemon.data_dir).problems)


# Death


@pytest.mark.parametrize("action", ["die", "torn"])
async def test_a_death_at_any_call_to_the_disk_loses_nothing(
    daemon: Daemon, disk: Disk, action: str
) -> None:
    """F1: killed at the Nth write or sync, before it or with half of it done."""
    await die_again_and_again(daemon, disk, action, range(60) if LONG else (1, 11))


async def die_again_and_again(
    daemon: Daemon, disk: Disk, action: str, afters: Iterable[int]
) -> None:
    daemon.start()
    call = "any" if action == "die" else "write"
    known: list[Operation] = []
    for number, after in enumerate(afters):
        disk.strike(call, "journal.sqlite", action, after=after)
        known += await until_it_dies(daemon, number)
        assert daemon.wait() == -9
        disk.heal()
        daemon.start()
        await hold_to_its_word(daemon, known)
    check_one_effect_each(daemon, known)


# Errors


ERRORS: dict[str, tuple[str, int]] = {
    "F6 fsync fails": ("sync", 5),
    "F7 the disk is full": ("write", 28),
    "F9 a write fails": ("write", 5),
    "F11 the disk turns read-only": ("write", 30),
}


@pytest.mark.parametrize("error", ERRORS if LONG else list(ERRORS)[:2])
async def test_a_failing_disk_ends_the_daemon_and_loses_nothing(
    daemon: Daemon, disk: Disk, error: str
) -> None:
    """503 and unknown for what was under way, exit code 74 and one line; true after a restart."""
    call, number = ERRORS[error]
    daemon.start()
    known = await some_load(daemon, disk, call, number)

    assert await anyio.to_thread.run_sync(daemon.wait) == 74
    assert daemon.lines[-1].startswith("error: ")
    assert "Traceback" not in daemon.lines[-1]
    assert verify(daemon.data_dir).problems == []
    if call == "write":  # no crash loop that eats the journal: it refuses until it can write
        assert daemon.spawn().wait() in {73, 74}
        assert "Traceback" not in daemon.said
    disk.heal()
    daemon.start()
    await hold_to_its_word(daemon, known)
    check_one_effect_each(daemon, known)


async def some_load(daemon: Daemon, disk: Disk, call: str, number: int) -> list[Operation]:
    """Everything goes well for a while; then nothing does any more."""
    notes = Notes()
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(load, daemon, notes, 0)
            await notes.enough.wait()
            disk.strike(call, "journal.sqlite", "errno", number)
    return notes.operations


async def test_a_call_on_a_full_disk_hears_that_its_outcome_is_unknown(
    daemon: Daemon, disk: Disk
) -> None:
    daemon.start()
    disk.strike("write", "journal.sqlite", "errno", 28)

    answer = await anyio.to_thread.run_sync(lambda: daemon.post("/reservations", MINE, key="k"))
    assert (answer.status, answer.body["outcome"]) == (503, "unknown")
    assert await anyio.to_thread.run_sync(daemon.wait) == 74
    disk.heal()
    daemon.start()
    again = [daemon.post("/reservations", MINE, key="k") for _ in range(2)]
    assert [one.status for one in again] == [201, 201]
    assert again[0].raw == again[1].raw


def test_on_a_read_only_disk_it_does_not_start(daemon: Daemon, disk: Disk) -> None:
    """F11: the exit code says that the directory cannot be written."""
    assert daemon.start().stop() == 0
    disk.strike("open", "data/", "errno", 30)

    assert daemon.spawn().wait() == 73
    assert "Traceback" not in daemon.said
    disk.heal()
    daemon.start()


async def test_a_slow_disk_holds_up_writers_and_nobody_else(daemon: Daemon, disk: Disk) -> None:
    """F10: health is told while a reserve waits for its sync."""
    daemon.start()
    disk.strike("sync", "journal.sqlite-wal", "sleep", 2_000)
    answers: list[str] = []

    async def ask(name: str, method: str, path: str, body: Any = None) -> None:
        answer = await anyio.to_thread.run_sync(daemon.call, method, path, body)
        assert answer.status in {200, 201}
        answers.append(name)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(ask, "reserve", "POST", "/api/v1/reservations", MINE)
            for _ in range(3):
                await ask("health", "GET", "/health")
    assert answers == ["health", "health", "health", "reserve"]
