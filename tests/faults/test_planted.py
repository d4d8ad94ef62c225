"""The fault suite finds faults: each of its kinds is seen to fail on a daemon that has one."""

import os
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.daemon_process import Daemon
from tests.faults import test_disk
from tests.faults.disk import Disk
from tests.harness.callers import CONFIG, Operation, check_one_effect_each, hold_to_its_word

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
Check = Callable[[Daemon, Disk], Awaitable[None]]


async def power_loss(daemon: Daemon, disk: Disk) -> None:
    await test_disk.test_a_power_loss_takes_nothing_that_was_answered(daemon, disk, 0)


async def loss_at_a_sync(daemon: Daemon, disk: Disk) -> None:
    """The power goes at the third or second sync of the load: what was synced before stays."""
    daemon.start()
    known: list[Operation] = []
    for number, after in enumerate((2, 1)):
        disk.strike("sync", "journal.sqlite-wal", "die", after=after)
        known += await test_disk.until_it_dies(daemon, number)
        assert daemon.wait() == -9
        disk.heal()
        disk.lose_power()
        daemon.start()
        await hold_to_its_word(daemon, known)
        check_one_effect_each(daemon, known)


async def test_a_power_loss_at_a_sync_takes_nothing_that_was_answered(
    daemon: Daemon, disk: Disk
) -> None:
    await loss_at_a_sync(daemon, disk)


async def full_disk(daemon: Daemon, disk: Disk) -> None:
    await test_disk.test_a_call_on_a_full_disk_hears_that_its_outcome_is_unknown(daemon, disk)


async def lying_disk(daemon: Daemon, disk: Disk) -> None:
    await test_disk.test_a_disk_that_lies_about_syncing_is_noticed(daemon, disk)


async def second_daemon(daemon: Daemon, disk: Disk) -> None:
    daemon.start()
    home = disk.folder / "second"
    home.mkdir()
    second = Daemon(home, CONFIG)
    second.data_dir, second.program, second.extra = daemon.data_dir, daemon.program, daemon.extra
    try:
        assert second.spawn().wait(within_s=5) == 75
    finally:
        if second.alive:
            second.kill()


FOUND_BY: dict[str, Check] = {
    "synchronous_normal": power_loss,
    "answer_before_commit": loss_at_a_sync,
    "keys_apart": loss_at_a_sync,
    "errors_ignored": full_disk,
    "no_anchor": lying_disk,
    "no_lock": second_daemon,
}


@pytest.mark.parametrize("plant", FOUND_BY)
async def test_a_planted_fault_is_found(daemon: Daemon, disk: Disk, plant: str) -> None:
    daemon.program = "tests.faults.planted"
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    daemon.extra |= {"PLANT": plant, "PYTHONPATH": path}

    with pytest.raises((AssertionError, KeyError, subprocess.TimeoutExpired)):
        await FOUND_BY[plant](daemon, disk)
