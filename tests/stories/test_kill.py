"""Nothing acknowledged is lost to `kill -9`, and no key ever has two effects.

Several callers reserve, settle, record and release under load, hang up now and then, and note
every answer they get. The daemon is killed in the middle, started again on the same directory,
and held to each answer it ever gave.
"""

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from daemon.journal.verify import verify
from tests.daemon_process import Daemon, running
from tests.harness.callers import (
    CONFIG,
    RESERVE,
    Notes,
    Operation,
    check_one_effect_each,
    hold_to_its_word,
    load,
)

pytestmark = pytest.mark.anyio

ROUNDS = 4


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with running(tmp_path, CONFIG) as started:
        yield started


async def test_kill_9_under_load_loses_no_answer_and_doubles_no_effect(daemon: Daemon) -> None:
    known: list[Operation] = []
    unknown = 0
    for number in range(ROUNDS):
        notes = Notes()
        async with anyio.create_task_group() as group:
            group.start_soon(load, daemon, notes, number)
            with anyio.fail_after(60):
                await notes.enough.wait()
            daemon.kill()
        assert (daemon.data_dir / "lock").exists()
        daemon.start()
        unknown += sum(operation.answer is None for operation in notes.operations)
        known += notes.operations
        await hold_to_its_word(daemon, notes.operations)
    assert unknown > 0
    check_one_effect_each(daemon, known)
    became = {operation.became for operation in known}
    assert became == {"held", "denied", "settled", "recorded", "released"}
    assert daemon.stop() == 0
    assert verify(daemon.data_dir).problems == []


async def test_sigterm_under_load_ends_in_order_and_loses_nothing(daemon: Daemon) -> None:
    notes = Notes()
    async with anyio.create_task_group() as group:
        group.start_soon(load, daemon, notes, 0)
        with anyio.fail_after(60):
            await notes.enough.wait()
        daemon.terminate()
        assert await anyio.to_thread.run_sync(daemon.wait) == 0
    assert verify(daemon.data_dir).problems == []
    daemon.start()
    await hold_to_its_word(daemon, notes.operations)
    check_one_effect_each(daemon, notes.operations)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process's files")
async def test_a_full_disk_ends_the_daemon_and_loses_nothing(daemon: Daemon) -> None:
    """A limit on the size of its files stands in for the disk.

    It leaves room for what a measured run writes about itself on its way out.
    """
    room = (daemon.data_dir / "journal.sqlite-wal").stat().st_size + 2_000_000
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (room, room))
    notes = Notes()
    with anyio.fail_after(10):
        await load(daemon, notes, 0)

    assert await anyio.to_thread.run_sync(daemon.wait) == 74
    assert daemon.lines[-1].startswith("error: ")
    assert verify(daemon.data_dir).problems == []
    daemon.start()
    await hold_to_its_word(daemon, notes.operations)
    check_one_effect_each(daemon, notes.operations)


def test_a_daemon_killed_while_it_starts_can_be_started_again(daemon: Daemon) -> None:
    daemon.kill()
    for _ in range(3):
        daemon.spawn().kill()
    daemon.start()

    assert daemon.post("/reservations", RESERVE | {"component": "apollo"}).status == 201
    assert verify(daemon.data_dir).problems == []


def test_a_second_daemon_on_the_same_directory_names_the_first_and_goes(
    daemon: Daemon, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    second = Daemon(tmp_path / "second", CONFIG)
    second.data_dir = daemon.data_dir

    assert second.spawn().wait(within_s=5) == 75
    assert f"pid {daemon.pid}" in second.said
    assert daemon.told["pid"] == daemon.pid
    assert daemon.post("/reservations", RESERVE | {"component": "apollo"}).status == 201
