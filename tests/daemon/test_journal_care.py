"""The journal looked after: backup, restore, export, import, migration, and what is noticed."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from actors.journal.chain import GENESIS, canonical, link
from actors.journal.projection import Changes
from actors.journal.take_out import TakeOut
from actors.ports import Batch, KeptKey
from daemon.journal import anchor, guard
from daemon.journal.anchor import Mark
from daemon.journal.archive.take_out import PAGES, take_out
from daemon.journal.backup import copy
from daemon.journal.files import (
    APPLICATION_ID,
    DATABASE,
    connect_reader,
    connect_writer,
    migrations,
)
from daemon.journal.rollups import Facets
from daemon.journal.store import SqliteStore
from daemon.journal.verify import Report, verify, verify_file
from daemon.journal.write import write
from protocols.journal import Draft
from tests.daemon_process import Daemon, running
from tests.harness.callers import CONFIG, RESERVE, Notes, load, repeat

OLDER = "older.sqlite"
TABLES = (
    "facet", "rollup", "window", "hold", "policy", "price", "provisional", "outbox", "alert",
)  # fmt: skip
"""What is added up again from an export."""
CLI = [sys.executable, "-P", "-m", "daemon"]


def budget(
    *args: object,
    home: Path,
    stdin: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> tuple[int, Any, str]:
    """Exit code, its JSON answer if there is one, and what it complained of."""
    environ = {name: text for name, text in os.environ.items() if "BUDGET" not in name} | dict(
        environ or {}
    )
    done = subprocess.run(
        [*CLI, *map(str, args), "--json", "--data-dir", str(home)],
        capture_output=True, text=True, input=stdin, timeout=60, check=False, env=environ,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def totals(report: Report) -> Report:
    """What must come out the same."""
    assert report.problems == []
    return replace(report, keys=0)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a daemon under load that was stopped in order."""
    with running(tmp_path_factory.mktemp("home"), CONFIG) as daemon:
        assert daemon.post("/reservations", RESERVE | {"component": "apollo"}).status == 201
        copy(daemon.data_dir / DATABASE, daemon.data_dir / OLDER, lambda *_: None)
        anyio.run(some_load, daemon)
        assert daemon.stop() == 0
    return daemon.data_dir


@pytest.fixture
def home(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "data")


async def some_load(daemon: Daemon) -> None:
    notes = Notes()
    async with anyio.create_task_group() as group:
        group.start_soon(load, daemon, notes, 0)
        with anyio.fail_after(60):
            await notes.enough.wait()
        group.cancel_scope.cancel()


# Backup and restore


@pytest.mark.anyio
async def test_a_backup_under_load_is_one_moment_of_the_journal_and_restores(
    tmp_path: Path,
) -> None:
    """What callers heard before the backup began is in it, and every key still has its answer."""
    kept = tmp_path / "kept.sqlite"
    with running(tmp_path, CONFIG) as daemon:
        early = Notes()
        async with anyio.create_task_group() as group:
            group.start_soon(load, daemon, early, 0)
            with anyio.fail_after(60):
                await early.enough.wait()
            heard = [one for one in early.operations if one.answer is not None]
            done = await anyio.to_thread.run_sync(
                lambda: budget("backup", kept, home=daemon.data_dir)
            )
            assert done[0] == 0, done[2]
            group.cancel_scope.cancel()
        assert daemon.stop() == 0
        live = verify(daemon.data_dir)
        copied = verify_file(kept, marks=[anchor.parse(done[1]["last"])])
        assert copied.problems == []
        assert 0 < copied.entries < live.entries

        code, answer, _ = budget("restore", kept, home=daemon.data_dir)
        assert (code, answer) == (1, None)
        code, answer, _ = budget("restore", kept, "--accept-loss", home=daemon.data_dir)
        assert (code, answer["lost"]) == (0, live.entries - copied.entries)
        assert verify_file(Path(answer["kept"])).entries == live.entries
        daemon.start()
        await repeat(daemon, heard)
        assert verify(daemon.data_dir).problems == []


def test_a_backup_never_writes_over_a_file_and_is_the_owners_alone(
    home: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.sqlite"
    assert budget("backup", kept, home=home)[0] == 0
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    before = kept.read_bytes()

    code, _, complaint = budget("backup", kept, home=home)
    assert (code, kept.read_bytes()) == (73, before)
    assert "there already" in complaint


def test_a_journal_that_does_not_verify_leaves_no_backup(home: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(home / DATABASE)) as db, db:
        db.execute("UPDATE rollup SET calls = calls + 1")

    code, _, complaint = budget("backup", tmp_path / "kept.sqlite", home=home)
    assert code == 65
    assert "roll-up" in complaint
    assert list(tmp_path.glob("kept*")) == []


def test_restore_and_import_keep_away_from_a_running_daemon(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        for verb in (["restore"], ["import", "journal"], ["migrate"]):
            file = [] if verb == ["migrate"] else [daemon.config]
            code, _, complaint = budget(*verb, *file, home=daemon.data_dir)
            assert code == 75
            assert f"pid {daemon.pid}" in complaint


def test_a_damaged_backup_is_not_restored_and_nothing_changes(home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.sqlite"
    copy(home / DATABASE, kept, lambda *_: None)
    with closing(sqlite3.connect(kept)) as db, db:
        db.execute("UPDATE entry SET body = '{}' WHERE seq = 3")
    before = (home / DATABASE).read_bytes()

    assert budget("restore", kept, home=home)[0] == 65
    assert (home / DATABASE).read_bytes() == before


def test_a_lost_database_comes_back_from_its_backup(home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.sqlite"
    assert budget("backup", kept, home=home)[0] == 0
    before = totals(verify(home))
    (home / DATABASE).unlink()
    daemon = Daemon(tmp_path)
    assert daemon.spawn().wait() == 65
    assert "is gone" in daemon.lines[-1]

    assert budget("restore", kept, home=home)[0] == 0
    assert totals(verify(home)) == before


# Export and import


def test_an_export_imports_to_identical_totals_and_keys(home: Path, tmp_path: Path) -> None:
    lines, fresh = tmp_path / "all.jsonl", tmp_path / "fresh"
    code, told, _ = budget("export", lines, home=home)
    assert code == 0
    assert stat.S_IMODE(lines.stat().st_mode) == 0o600
    code, answer, complaint = budget("import", "journal", lines, home=fresh)
    assert code == 0, complaint

    before, after = verify(home), verify(fresh)
    assert (before, after.problems) == (after, [])
    assert answer["last"] == told["last"] == str(before.last)
    assert before.keys == answer["idempotency_keys"] > 0
    for table in (
        "facet",
        "rollup",
        "window",
        "hold",
        "policy",
        "price",
        "provisional",
        "outbox",
        "alert",
    ):
        assert rows(home, table) == rows(fresh, table)


def rows(home: Path, table: str) -> list[Any]:
    with closing(sqlite3.connect(home / DATABASE)) as db:
        return db.execute(f"SELECT * FROM {table}").fetchall()


def cut(lines: list[str]) -> list[str]:
    return lines[:-5]


def changed(lines: list[str]) -> list[str]:
    place = next(n for n, line in enumerate(lines) if '"kind": "held"' in line)
    return [*lines[:place], lines[place].replace('"usd":', '"usd":1', 1), *lines[place + 1 :]]


def gap(lines: list[str]) -> list[str]:
    return lines[:7] + lines[8:]


def headless(lines: list[str]) -> list[str]:
    return lines[1:]


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [(cut, "ends too early"), (changed, "was changed"), (gap, "is next"), (headless, "header")],
)
def test_an_export_that_was_harmed_is_not_imported(
    home: Path, tmp_path: Path, harm: Callable[[list[str]], list[str]], complaint: str
) -> None:
    lines, fresh = tmp_path / "all.jsonl", tmp_path / "fresh"
    assert budget("export", lines, home=home)[0] == 0
    text = "\n".join(harm(lines.read_text().splitlines()))

    code, _, told = budget("import", "journal", "-", home=fresh, stdin=text)
    assert code == 65
    assert complaint in told
    assert not (fresh / DATABASE).exists()


metadata = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
)


@given(metadata)
def test_what_was_hashed_is_hashed_again_from_its_json(body: Any) -> None:
    """An export reads back to the very text of each entry, whatever a caller put in it."""
    text = canonical({"metadata": body})
    assert canonical(from_json(text)) == text


# What is noticed


def older_copy(home: Path) -> None:
    """The journal as it once was: sound in itself."""
    (home / OLDER).replace(home / DATABASE)


def another_history(home: Path) -> None:
    """As long as the one before, but with another last entry."""
    with closing(sqlite3.connect(home / DATABASE)) as db, db:
        at = "(SELECT max(seq) FROM entry)"
        db.execute(f"UPDATE entry SET hash = randomblob(32) WHERE seq = {at}")


def changed_entry(home: Path) -> None:
    with closing(sqlite3.connect(home / DATABASE)) as db, db:
        db.execute("UPDATE entry SET component = 'x' WHERE seq = (SELECT max(seq) - 2 FROM entry)")


def no_database(home: Path) -> None:
    (home / DATABASE).unlink()


@pytest.mark.parametrize("harm", [older_copy, another_history, changed_entry, no_database])
def test_no_daemon_starts_on_a_journal_that_lost_something_unless_told_to(
    home: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    harm(home)
    daemon = Daemon(tmp_path)

    assert daemon.spawn().wait() == 65
    assert "--accept-loss" in daemon.lines[-1]
    assert "Traceback" not in daemon.said

    daemon.flags = ["--accept-loss"]
    daemon.start()
    (entry,) = daemon.get("/entries?kind=loss_accepted").body["items"]
    assert str(home / DATABASE) in entry["body"]["why"]
    assert daemon.post("/reservations", RESERVE | {"component": "apollo"}).status == 201
    assert daemon.stop() == 0
    daemon.flags = []
    assert daemon.start().stop() == 0


def test_verify_misses_what_the_anchor_or_a_noted_entry_knows(home: Path) -> None:
    before = verify(home)
    older_copy(home)
    assert any("anchor" in problem for problem in verify(home).problems)

    (home / "anchor").unlink()
    noted = str(before.last)
    code, answer, _ = budget("verify", "--expect", noted, home=home)
    assert code == 65
    assert any(f"entry {before.last.seq} was written" in told for told in answer["problems"])


def test_a_torn_anchor_still_has_its_other_sector(tmp_path: Path) -> None:
    anchor.begin(tmp_path, Mark(7, bytes(32)))
    writing = anchor.Anchor(tmp_path)
    writing.move(Mark(8, bytes(32)))
    writing.close()
    assert anchor.read(tmp_path) == Mark(8, bytes(32))
    with (tmp_path / "anchor").open("r+b") as file:
        file.seek(512)
        file.write(b"9:")

    assert anchor.read(tmp_path) == Mark(7, bytes(32))


KEYS = {
    "an answer that does not read": ("UPDATE idempotency SET answer = '{'", "does not read"),
    "an answer about nothing": (
        "UPDATE idempotency SET answer = json_set(answer, '$.reservation_id', 'rsv_x')",
        "rsv_x",
    ),
    "an answer from later": ("UPDATE idempotency SET at_ms = at_ms + 9999999", "dated after"),
    "two answers": ("UPDATE idempotency SET key = x'00'", "two answers"),
}  # fmt: skip


@pytest.mark.parametrize("harm", KEYS)
def test_verify_checks_the_idempotency_records(home: Path, harm: str) -> None:
    sql, finding = KEYS[harm]
    with closing(sqlite3.connect(home / DATABASE)) as db, db:
        assert db.execute(sql).rowcount > 0

    assert any(finding in problem for problem in verify(home).problems)


# Migration


def first_schema(home: Path) -> None:
    """A journal as the first version wrote it."""
    home.mkdir()
    number, text = migrations()[0]
    with closing(sqlite3.connect(home / DATABASE, isolation_level=None)) as db:
        db.executescript(
            f"{text}; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number};"
        )
        batch, before = Batch([], Changes(), []), GENESIS
        for seq in range(1, 10):
            body = {"before": None, "after": {"owner": None, "note": str(seq)}}
            entry = link(before, seq, seq, Draft("budget_set", "", f"budget-{seq}", body))
            before = entry.hash
            batch.entries.append(entry)
            batch.changes.add(entry)
        write(db, batch, Facets())


def test_migrate_backs_up_first_and_adds_up_afterwards(tmp_path: Path) -> None:
    home = tmp_path / "data"
    first_schema(home)
    newest = migrations()[-1][0]
    code, _, complaint = budget("verify", home=home)
    assert code == 76
    assert "budget migrate" in complaint

    assert budget("migrate", "--dry-run", home=home)[1]["schema_after"] == newest
    code, answer, complaint = budget("migrate", home=home)
    assert code == 0, complaint
    assert (answer["schema_before"], answer["entries"]) == (1, 9)
    with closing(sqlite3.connect(answer["backup"])) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM entry").fetchone() == (9,)
    assert verify(home).problems == []
    assert budget("migrate", home=home)[1]["backup"] is None


def test_a_backup_of_an_older_version_is_restored_in_this_schema(tmp_path: Path) -> None:
    old, fresh = tmp_path / "old", tmp_path / "fresh"
    first_schema(old)

    code, answer, complaint = budget("restore", old / DATABASE, home=fresh)
    assert code == 0, complaint
    assert answer["entries"] == 9
    assert verify(fresh).problems == []
    assert list(fresh.glob("*restored*")) == []


def test_what_is_no_backup_is_not_restored(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    diary.write_bytes(b"Dear diary, " * 500)

    assert budget("restore", diary, home=tmp_path / "fresh")[0] == 65
    assert budget("restore", tmp_path / "nothing", home=tmp_path / "fresh")[0] == 65
    assert budget("verify", diary, home=tmp_path / "fresh")[0] == 65


# What grows


def test_a_log_that_a_reader_keeps_long_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It cannot be folded back before the reader goes; then it is cut to its usual length."""
    monkeypatch.setattr(guard, "LOG_BYTES_LONG", 300_000)
    watched = guard.Guard.open(tmp_path)
    db = watched.db
    db.execute("PRAGMA journal_size_limit = 200000")
    db.execute("PRAGMA wal_autocheckpoint = 10")

    def write(rows: int) -> int:
        rows_of_a_page = [(str(time.monotonic_ns()), "x" * 3_000) for _ in range(rows)]
        db.execute("BEGIN")
        db.executemany("INSERT INTO seed VALUES (?, ?)", rows_of_a_page)
        db.execute("COMMIT")
        watched.look()
        return (tmp_path / f"{DATABASE}-wal").stat().st_size

    with closing(connect_reader(tmp_path / DATABASE)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM seed").fetchone()
        assert [write(30) for _ in range(3)][-1] > 300_000
        reader.execute("COMMIT")
        write(1)
        assert write(1) <= 200_000
    assert caplog.text.count("somebody keeps reading") == 1
    watched.close()
    db.close()


def test_keys_are_forgotten_as_fast_as_they_age(tmp_path: Path) -> None:
    """A portion at a time, and whether there may be more; none that is young enough goes."""
    anyio.run(forget_keys, tmp_path)


async def forget_keys(home: Path) -> None:
    store = await SqliteStore.open(home)
    try:
        keys = [KeptKey(bytes([n // 256, n % 256]), b"", False, "{}", n) for n in range(2_500)]  # noqa: FBT003
        await store.append(Batch([], Changes(), keys))
        assert [await store.purge_keys(2_400) for _ in range(4)] == [True, True, False, False]
        assert await store.find_key(keys[2_399].key) is None
        assert await store.find_key(keys[2_400].key) is not None
    finally:
        await store.close()


def test_room_is_given_back_many_pages_at_a_time(tmp_path: Path) -> None:
    with closing(connect_writer(tmp_path / DATABASE)) as db:
        db.execute("CREATE TABLE much (x)")
        db.executemany("INSERT INTO much VALUES (?)", [("y" * 3000,)] * 500)
        db.execute("DROP TABLE much")
        left = [take_out(db, TakeOut()).left for _ in range(4)]
    assert left[0] > PAGES
    assert left[0] - left[1] == PAGES
    assert left[-1] == 0
