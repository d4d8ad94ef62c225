"""Files that are cut, changed, swapped or removed behind the daemon's back are noticed."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from daemon.journal.files import DATABASE, migrations
from daemon.journal.verify import verify
from tests.daemon.test_journal_care import budget, first_schema
from tests.daemon_process import Daemon, running
from tests.faults.disk import Disk
from tests.harness.callers import CONFIG, RESERVE, Notes, load

pytestmark = pytest.mark.anyio

WAL = f"{DATABASE}-wal"
FRAME_BYTES = 24 + 4096
MINE = RESERVE | {"component": "apollo"}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a daemon that was killed: a good part of its journal is in the log."""
    with running(tmp_path_factory.mktemp("home"), CONFIG) as daemon:
        for number in range(40):
            assert daemon.post("/reservations", MINE | {"priority": 1 + number % 10}).status == 201
        daemon.kill()
    return daemon.data_dir


@pytest.fixture
def home(killed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(killed, tmp_path / "data")


def flipped_bit(home: Path) -> None:
    """F14: SQLite drops every commit after the frame, and finds nothing wrong."""
    flip(home / WAL, 32 + 30 * FRAME_BYTES + 500)


def no_log(home: Path) -> None:
    """F15: as if somebody had tidied up."""
    (home / WAL).unlink()


def cut_log(home: Path) -> None:
    with (home / WAL).open("r+b") as file:
        file.truncate(32 + 30 * FRAME_BYTES)


def log_of_another(home: Path) -> None:
    """F15: of another database."""
    with closing(sqlite3.connect(home / "other")) as db:
        db.execute("PRAGMA journal_mode = wal")
        db.execute("CREATE TABLE other (x)")
        (home / "other-wal").replace(home / WAL)


def flipped_bit_in_a_row(home: Path) -> None:
    """F13: in the text of a recent entry; only the chain sees it."""
    with closing(sqlite3.connect(home / DATABASE)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = (home / DATABASE).read_bytes()
    flip(home / DATABASE, content.rindex(b'"task_type"') + 3)


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 4]))


@pytest.mark.parametrize("harm", [flipped_bit, no_log, cut_log, log_of_another])
def test_a_lost_end_of_the_journal_is_noticed_at_the_start(
    home: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    harm(home)
    daemon = Daemon(tmp_path, CONFIG)

    assert daemon.spawn().wait() == 65
    assert str(home / DATABASE) in daemon.lines[-1]
    assert "Traceback" not in daemon.said


def test_a_flipped_bit_in_a_row_is_found_by_verify(home: Path) -> None:
    assert verify(home).problems == []
    flipped_bit_in_a_row(home)

    assert any("hash" in problem for problem in verify(home).problems)


@pytest.mark.parametrize("name", [DATABASE, WAL])
async def test_a_file_removed_under_the_daemon_ends_it(tmp_path: Path, name: str) -> None:
    """F16: what it would write from then on, nobody would find."""
    with running(tmp_path, CONFIG) as daemon:
        async with anyio.create_task_group() as group:
            group.start_soon(load, daemon, Notes(), 0)
            await anyio.to_thread.run_sync((daemon.data_dir / name).unlink)
            assert await anyio.to_thread.run_sync(daemon.wait) == 74
    assert "removed or replaced" in daemon.lines[-1]


def test_another_program_that_holds_the_file_ends_the_daemon_and_loses_nothing(
    tmp_path: Path,
) -> None:
    """F19: it waits for two seconds, then it is a disk that fails."""
    with running(tmp_path, CONFIG) as daemon:
        first = daemon.post("/reservations", MINE, key="first")
        with closing(sqlite3.connect(daemon.data_dir / DATABASE, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            answer = daemon.post("/reservations", MINE, key="second")
            assert (answer.status, answer.body["outcome"]) == (503, "unknown")
            assert daemon.wait() == 74
            db.execute("ROLLBACK")
        daemon.start()
        assert daemon.post("/reservations", MINE, key="first").raw == first.raw
        assert daemon.post("/reservations", MINE, key="second").status == 201
    assert verify(tmp_path / "data").problems == []


def test_a_migration_killed_at_any_call_to_the_disk_is_done_at_the_next_attempt(
    tmp_path: Path, library: Path
) -> None:
    """F20: each step is whole or absent, and the backup is there before the first."""
    newest = migrations()[-1][0]
    died = 0
    for after in range(0, 200, 40):
        folder = tmp_path / str(after)
        folder.mkdir()
        home = folder / "data"
        first_schema(home)
        disk = Disk(library, folder, home)
        disk.strike("any", DATABASE, "die", after=after)
        code, _, _ = budget("migrate", home=home, environ=disk.environ)
        if code == 0:
            break
        assert code == -9
        died += 1
        code, told, complaint = budget("migrate", home=home)
        assert code == 0, complaint
        assert told["schema_after"] == newest
        report = verify(home)
        assert (report.entries, report.problems) == (9, [])
    assert died > 1
