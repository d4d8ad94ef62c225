"""The process stopped, starved, misled about the time, without a log: it goes on or ends well."""

import resource
import signal
import socket
import sys
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import pytest

from daemon.journal.verify import verify
from tests.daemon_process import Daemon, running
from tests.faults.disk import Disk
from tests.harness.callers import CONFIG, RESERVE, Notes, load

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000
MINE = RESERVE | {"component": "apollo"}
DAILY = """
[[policy]]
name = "a-day"
limit = { calls = 3 }
period = "daily"
"""


async def test_a_daemon_that_was_stopped_for_a_while_goes_on_where_it_was(tmp_path: Path) -> None:
    """F5: every caller is answered once it continues."""
    with running(tmp_path, CONFIG) as daemon:
        notes = Notes()
        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:
                group.start_soon(load, daemon, notes, 0)
                daemon.signal(signal.SIGSTOP)
                await anyio.sleep(0.2)  # long enough for every caller to wait
                seen = notes.answered
                daemon.signal(signal.SIGCONT)
                await notes.enough.wait()
                group.cancel_scope.cancel()
        assert notes.answered > seen
        assert daemon.stop() == 0
    assert verify(daemon.data_dir).problems == []


async def test_a_second_sigterm_ends_it_at_once_and_loses_nothing(tmp_path: Path) -> None:
    """F4: what was answered until then stays."""
    with running(tmp_path, CONFIG) as daemon:
        notes = Notes()
        async with anyio.create_task_group() as group:
            group.start_soon(load, daemon, notes, 0)
            with anyio.fail_after(60):
                await notes.enough.wait()
            daemon.terminate()
            daemon.terminate()
            assert await anyio.to_thread.run_sync(daemon.wait) in {0, -15}
        assert verify(daemon.data_dir).problems == []
        daemon.start()
        answered = [one for one in notes.operations if one.answer is not None]
        for operation in answered:
            again = daemon.post(operation.path, operation.body, key=operation.key)
            assert operation.answer is not None
            assert again.raw == operation.answer.raw


def test_the_clock_gives_no_budget_twice(daemon: Daemon, disk: Disk) -> None:
    """F22, F23: forward a day, back a month, and home again; a hold lives as long as it should."""
    daemon.config.write_text(DAILY)
    daemon.start()
    held = daemon.post("/reservations", MINE).body["reservation_id"]
    spend(daemon, 2)
    disk.shift(DAY_MS)
    spend(daemon, 3)
    disk.shift(-30 * DAY_MS)
    spend(daemon, 0)
    disk.shift(0)
    spend(daemon, 0)

    assert daemon.get(f"/reservations/{held}").body["status"] == "held"
    assert daemon.stop() == 0
    daemon.start()
    spend(daemon, 0)
    entries = daemon.get("/entries?limit=1000").body["items"]
    assert all(one["at"] <= other["at"] for one, other in pairwise(entries))
    opened = [entry["body"]["starts_ms"] for entry in entries if entry["kind"] == "window_opened"]
    assert len(opened) == len(set(opened)) == 2
    assert verify(daemon.data_dir).problems == []


def spend(daemon: Daemon, calls: int) -> None:
    """So many calls are still allowed, and not one more."""
    statuses = [daemon.post("/reservations", MINE).status for _ in range(calls + 1)]
    assert statuses == [201] * calls + [402]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process's files")
def test_out_of_descriptors_it_recovers_when_they_are_free(tmp_path: Path) -> None:
    """F41: a crowd comes and goes."""
    with running(tmp_path, CONFIG) as daemon:
        open_now = len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))
        limit = open_now + 20
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (limit, limit))
        place = urlsplit(daemon.told["url"])
        assert place.hostname is not None
        assert place.port is not None
        with ExitStack() as crowd:
            for _ in range(60):
                crowd.enter_context(socket.create_connection((place.hostname, place.port)))
        assert daemon.post("/reservations", MINE).status == 201
        assert daemon.stop() == 0
    assert verify(daemon.data_dir).problems == []


def test_a_full_log_stops_nothing(tmp_path: Path) -> None:
    """F43: stderr on a full disk."""
    daemon = Daemon(tmp_path, CONFIG)
    daemon.under = ["sh", "-c", 'exec "$@" 2>/dev/full', "sh"]
    daemon.spawn()
    try:
        daemon.until_told()
        assert daemon.post("/reservations", MINE).status == 201
        assert daemon.post("/reservations", MINE | {"model": "nobody-knows"}).status == 422
        assert daemon.stop() == 0
    finally:
        if daemon.alive:
            daemon.kill()
    assert verify(daemon.data_dir).problems == []


def test_a_port_in_use_is_one_line_and_69(tmp_path: Path) -> None:
    """F44: whoever is there first stays."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        daemon = Daemon(tmp_path, CONFIG)
        daemon.flags = ["--port", str(taken.getsockname()[1])]

        assert daemon.spawn().wait() == 69
    assert "cannot listen" in daemon.lines[-1]
    assert "Traceback" not in daemon.said
