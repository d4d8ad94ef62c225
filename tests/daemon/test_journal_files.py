"""The journal's files: settings that durability rests on, files refused, tampering found."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from daemon.journal.faults import BadSettings, InUse
from daemon.journal.files import DATABASE, connect_reader, connect_writer, locked
from daemon.journal.verify import verify
from tests.daemon_process import Daemon, running

CONFIG = """
[[policy]]
name = "roof"
limit = { usd = "0.010", calls = 3 }
period = "daily"
"""
CALL = {
    "component": "apollo", "model": "claude-haiku-4-5",
    "input_tokens": 1_000, "max_output_tokens": 400,
}  # fmt: skip
USAGE = {"input_tokens": 800, "output_tokens": 100}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a stopped daemon with a little of everything in its journal."""
    with running(tmp_path_factory.mktemp("home"), CONFIG) as daemon:
        held = [daemon.post("/reservations", CALL).body for _ in range(3)]
        assert daemon.post("/reservations", CALL).status == 402
        settle = f"/reservations/{held[0]['reservation_id']}/settle"
        assert daemon.post(settle, {"usage": USAGE}).status == 200
        release = f"/reservations/{held[1]['reservation_id']}/release"
        assert daemon.post(release, {}).status == 200
        usage = {"component": "rhetor", "model": "gpt-5", "usage": USAGE}
        assert daemon.post("/usage", usage).status == 201
        assert daemon.post("/budgets", {"name": "default", "owner": "me"}).status == 201
        assert daemon.stop() == 0
    return daemon.data_dir


@pytest.fixture
def journal(written: Path, tmp_path: Path) -> Path:
    """A copy of that directory to do harm to."""
    return shutil.copytree(written, tmp_path / "data")


def test_the_writer_keeps_the_settings_that_durability_rests_on(tmp_path: Path) -> None:
    with closing(connect_writer(tmp_path / DATABASE)) as db:
        kept = {
            name: db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
        }

    full = 2
    assert kept == {
        "journal_mode": "wal", "synchronous": full, "foreign_keys": 1, "trusted_schema": 0,
    }  # fmt: skip


def test_a_database_that_cannot_keep_them_is_not_used() -> None:
    with pytest.raises(BadSettings, match="journal_mode = memory") as refusal:
        connect_writer(Path(":memory:"))
    assert refusal.value.exit_code == 78


def test_a_reader_cannot_write(journal: Path) -> None:
    with (
        closing(connect_reader(journal / DATABASE)) as db,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        db.execute("DELETE FROM entry")


def test_the_lock_names_its_holder_and_goes_with_it(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(InUse, match=f"pid {os.getpid()}"),
        locked(tmp_path),
    ):
        pass
    with locked(tmp_path):
        pass


def foreign(home: Path) -> None:
    with closing(sqlite3.connect(home / DATABASE)) as db, db:
        db.execute("CREATE TABLE somebody_elses (thing)")


def newer(home: Path) -> None:
    with closing(sqlite3.connect(home / DATABASE)) as db:
        db.execute("PRAGMA user_version = 9999")


def no_database(home: Path) -> None:
    (home / DATABASE).write_bytes(b"Dear diary, " * 500)


def damaged_header(home: Path) -> None:
    overwrite(home / DATABASE, 5, b"\xff")


def damaged_pages(home: Path) -> None:
    """The head of every page but the first."""
    size = (home / DATABASE).stat().st_size
    for page in range(4096, size, 4096):
        overwrite(home / DATABASE, page, b"\xff" * 8)


def overwrite(path: Path, at: int, damage: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(damage)


@pytest.mark.parametrize(
    ("harm", "exit_code", "reason"),
    [
        (no_database, 65, "not a journal"),
        (damaged_header, 65, "not a journal"),
        (damaged_pages, 65, "journal.sqlite"),
        (newer, 76, "upgrade"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_and_left_alone(
    journal: Path, tmp_path: Path, harm: Callable[[Path], None], exit_code: int, reason: str
) -> None:
    harm(journal)
    before = (journal / DATABASE).read_bytes()
    daemon = Daemon(tmp_path)
    assert daemon.data_dir == journal

    assert daemon.spawn().wait() == exit_code
    assert reason in daemon.lines[-1]
    assert str(journal) in daemon.lines[-1]
    assert "Traceback" not in daemon.said
    assert (journal / DATABASE).read_bytes() == before


def test_a_database_of_somebody_else_is_refused(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    daemon.data_dir.mkdir(mode=0o700)
    foreign(daemon.data_dir)

    assert daemon.spawn().wait() == 65
    assert "not a journal of ours" in daemon.lines[-1]
    with closing(sqlite3.connect(daemon.data_dir / DATABASE)) as db:
        assert db.execute("SELECT name FROM sqlite_schema").fetchall() == [("somebody_elses",)]


def test_a_file_where_the_directory_should_be_is_refused(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    daemon.data_dir.write_text("not a directory")

    assert daemon.spawn().wait() in {73, 77}
    assert str(daemon.data_dir) in daemon.said
    assert "Traceback" not in daemon.said


def closed_directory(home: Path) -> None:
    home.chmod(0o500)


def closed_file(home: Path) -> None:
    (home / DATABASE).chmod(0o400)


@pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None,
    reason="root may write anywhere, and there is no setpriv to take that right away",
)
@pytest.mark.parametrize("harm", [closed_directory, closed_file])
def test_what_cannot_be_written_is_refused_at_once(
    journal: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    harm(journal)
    daemon = Daemon(tmp_path)
    if os.geteuid() == 0:
        daemon.under = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]

    assert daemon.spawn().wait() == 73
    assert str(journal) in daemon.lines[-1]
    assert "Traceback" not in daemon.said
    journal.chmod(0o700)


def test_a_file_that_another_program_holds_is_refused(journal: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(journal / DATABASE, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        daemon = Daemon(tmp_path)

        assert daemon.spawn().wait() == 75
        assert str(journal) in daemon.lines[-1]
        assert "Traceback" not in daemon.said


TAMPERING = {
    "an amount in an entry": (
        "UPDATE entry SET body = json_set(body, '$.usd', 1) WHERE kind = 'settled'",
        "does not match its hash",
    ),
    "a usage in an entry": (
        "UPDATE entry SET body = json_set(body, '$.usage.output', 1) WHERE kind = 'recorded'",
        "its usage costs",
    ),
    "who it was": ("UPDATE entry SET component = 'rhetor' WHERE kind = 'denied'", "hash"),
    "a date": ("UPDATE entry SET at_ms = 0 WHERE seq = 3", "dated before"),
    "a hash": ("UPDATE entry SET hash = zeroblob(32) WHERE seq = 2", "entry 2 does not match"),
    "an entry gone": ("DELETE FROM entry WHERE seq = 4", "entry 4 is missing"),
    "the first entry gone": ("DELETE FROM entry WHERE seq = 1", "entry 1 is missing"),
    "the last entry gone": (
        "DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)", "budget default",
    ),
    "an entry more": (
        "INSERT INTO entry SELECT 999, at_ms, kind, '', '', '{}', hash FROM entry WHERE seq = 1",
        "entry 999",
    ),
    "a roll-up": ("UPDATE rollup SET usd = usd - 1 WHERE width_ms = 3600000", "roll-up"),
    "a roll-up gone": ("DELETE FROM rollup WHERE width_ms = 900000", "roll-up"),
    "a facet": ("UPDATE facet SET tier = 'none' WHERE component = 'apollo'", "roll-up"),
    "a facet gone": ("DELETE FROM facet WHERE component = 'rhetor'", "roll-up"),
    "a budget of a policy": ("UPDATE membership SET budget = 'x'", "membership roof"),
    "a window": ("UPDATE window SET usd = 0", "window"),
    "an open hold": ("UPDATE hold SET usd = 1 WHERE status = 'held'", "hold"),
    "an ended hold": ("UPDATE hold SET status = 'held' WHERE status = 'released'", "hold"),
    "a hold gone": ("DELETE FROM hold WHERE status = 'held'", "hold"),
    "a limit": (
        "UPDATE policy SET body = json_set(body, '$.limit.usd', '900.000000000')", "policy roof",
    ),
    "a price": ("UPDATE price SET body = json_set(body, '$.rates.input', '0')", "price"),
}  # fmt: skip
"""What is changed behind the daemon's back, and what verify says of it."""


@pytest.mark.parametrize("harm", TAMPERING)
def test_tampering_is_found(journal: Path, harm: str) -> None:
    sql, finding = TAMPERING[harm]
    assert verify(journal).problems == []
    with closing(sqlite3.connect(journal / DATABASE)) as db, db:
        assert db.execute(sql).rowcount > 0

    problems = verify(journal).problems
    assert any(finding in problem for problem in problems), problems


def test_the_command_says_what_is_wrong_and_exits_65(journal: Path) -> None:
    with closing(sqlite3.connect(journal / DATABASE)) as db, db:
        db.execute("UPDATE rollup SET calls = calls + 1 WHERE width_ms = 86400000")

    found = subprocess.run(
        [sys.executable, "-P", "-m", "daemon", "verify", "--data-dir", str(journal)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert found.returncode == 65
    assert "roll-up" in found.stdout + found.stderr
