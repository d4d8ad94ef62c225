"""Closed months in files of their own: moved while calls go on, reached by all, looked after."""

import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daemon.journal.files import DATABASE, connect_writer
from daemon.journal.rollups import rebuild
from daemon.journal.verify import verify
from tests.daemon.test_journal_care import budget
from tests.daemon_process import Daemon, running
from tests.harness.months import Months, months

USAGE = {"input": 10, "output": 5}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Months:
    """Four months of calls, all of it in the database."""
    return months(tmp_path_factory.mktemp("months") / "data")


@pytest.fixture(scope="module")
def after(before: Months, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, its closed months archived by a daemon."""
    folder = tmp_path_factory.mktemp("archived")
    home = shutil.copytree(before.home, folder / "data")
    with running(folder) as daemon:
        archived(daemon)
        assert daemon.stop() == 0
    return home


@pytest.fixture
def home(after: Path, tmp_path: Path) -> Path:
    return shutil.copytree(after, tmp_path / "data")


def archived(daemon: Daemon, after_months: int = 0) -> Any:
    """Archive what is old enough, and wait until it is done."""
    assert daemon.post("/archive", {"after_months": after_months}).status == 200
    shown = daemon.until("/archive?wait_s=5", lambda body: body["status"] == "idle")
    assert shown["failed"] is None
    return shown


def test_closed_months_move_into_sealed_files_and_an_entry_says_who_did_it(
    before: Months, tmp_path: Path
) -> None:
    home = shutil.copytree(before.home, tmp_path / "data")
    entries = verify(home).entries
    with running(tmp_path) as daemon:
        code, told, complaint = budget("archive", "--after", "0", home=home)
        assert code == 0, complaint
        found = daemon.get("/entries?kind=archived").body["items"]
        first, last = (daemon.get(f"/entries?limit=1{more}").body for more in ("", "&newest=true"))
        again = budget("archive", "--after", "0", home=home)[1]
        assert daemon.stop() == 0

    months_of = [one["month"] for one in told["months"]]
    assert [one["subject"] for one in found] == months_of == sorted(months_of)
    assert len(months_of) >= 4
    assert {one["body"]["by"] for one in found} == {"admin"}
    assert first["items"][0]["seq"] == 1
    assert last["items"][0]["seq"] == entries + len(months_of)
    assert again["months"] == told["months"]
    for one in told["months"]:
        assert stat.S_IMODE((home / one["file"]).stat().st_mode) == 0o400
    with closing(sqlite3.connect(home / DATABASE)) as db:
        (left,) = db.execute("SELECT min(seq) FROM entry").fetchone()
        assert left == told["months"][-1]["last_seq"] + 1
        opened = db.execute("SELECT min(opened_seq) FROM hold").fetchone()[0]
        assert opened is None or opened >= left
    report = verify(home)
    assert (report.problems, report.entries) == ([], entries + len(months_of))


def test_the_database_gives_its_room_back(before: Months, after: Path) -> None:
    assert (after / DATABASE).stat().st_size < (before.home / DATABASE).stat().st_size
    with closing(sqlite3.connect(after / DATABASE)) as db:
        assert db.execute("PRAGMA freelist_count").fetchone() == (0,)


def test_a_hold_of_an_archived_month_is_settled_late_once(
    before: Months, home: Path, tmp_path: Path
) -> None:
    """It comes back from its file, and what the file has of it counts no more."""
    late, ended = before.expired[3], before.ended[3]
    with running(tmp_path) as daemon:
        path = f"/reservations/{late}"
        assert daemon.get(path).body["status"] == "expired"
        settled = daemon.post(f"{path}/settle", {"usage": USAGE}, key="late")
        assert (settled.status, settled.body["kind"]) == (200, "late")
        assert daemon.post(f"{path}/settle", {"usage": USAGE}, key="late").raw == settled.raw
        assert daemon.post(f"{path}/settle", {"usage": USAGE}, key="later").status == 409
        assert daemon.post(f"/reservations/{ended}/settle", {"usage": USAGE}).status == 409
        assert daemon.get("/reservations/rsv_" + "0" * 32).status == 404
        daemon.kill()
        daemon.start()
        assert daemon.post(f"{path}/settle", {"usage": USAGE}, key="late").raw == settled.raw
        shown = daemon.get(path).body
        assert (shown["status"], shown["spent"]["tokens"]) == ("settled", 15)
        listed = daemon.get("/reservations?status=settled&limit=1000").body["items"]
        assert late in [one["id"] for one in listed]
        archived(daemon)
        assert daemon.stop() == 0
    assert verify(home).problems == []


def test_months_are_archived_by_themselves_when_the_settings_say_so(
    before: Months, tmp_path: Path
) -> None:
    shutil.copytree(before.home, tmp_path / "data")
    with running(tmp_path, "[journal]\narchive_after_months = 1\n") as daemon:
        shown = daemon.until(
            "/archive?wait_s=5", lambda body: body["months"] and body["status"] == "idle"
        )
        by = daemon.get("/entries?kind=archived").body["items"][0]["body"]["by"]
        daemon.stop()
    assert by == "daemon"
    assert len(shown["months"]) >= 3
    assert verify(tmp_path / "data").problems == []


# Backup, restore, export


def test_a_backup_carries_the_archive_and_a_restore_brings_it(home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "backups" / "monday.sqlite"
    kept.parent.mkdir()
    entries = verify(home).entries
    assert budget("backup", kept, home=home)[0] == 0
    files = {path.name: path.stat().st_ino for path in (kept.parent / "archive").iterdir()}
    assert len(files) >= 4
    assert budget("backup", kept.with_name("tuesday.sqlite"), home=home)[0] == 0
    again = {path.name: path.stat().st_ino for path in (kept.parent / "archive").iterdir()}
    assert again == files, "what is there is not copied again"

    fresh = tmp_path / "fresh" / "data"
    shutil.rmtree(home)
    code, told, complaint = budget("restore", kept, home=fresh)
    assert (code, told and told["entries"]) == (0, entries), complaint
    assert verify(fresh).problems == []
    with running(fresh.parent) as daemon:
        assert daemon.get("/entries?limit=1").body["items"][0]["seq"] == 1
        daemon.stop()


def test_what_a_restore_replaces_is_whole_beside_it(
    before: Months, home: Path, tmp_path: Path
) -> None:
    """A backup of before the archive takes the place of a journal with one."""
    kept = tmp_path / "kept.sqlite"
    assert budget("backup", kept, home=before.home)[0] == 0
    code, told, _ = budget("restore", kept, "--accept-loss", home=home)
    assert code == 0
    assert verify(home).problems == []
    assert budget("verify", told["kept"], home=home)[0] == 0


def test_an_export_with_archived_months_comes_in_whole(home: Path, tmp_path: Path) -> None:
    lines, fresh = tmp_path / "all.jsonl", tmp_path / "fresh" / "data"
    code, told, _ = budget("export", lines, home=home)
    assert code == 0
    code, brought, complaint = budget("import", "journal", lines, home=fresh)
    assert code == 0, complaint
    assert brought["last"] == told["last"]
    assert verify(fresh).problems == []
    with running(fresh.parent) as daemon:
        assert len(archived(daemon)["months"]) >= 4
        daemon.stop()
    assert verify(fresh).problems == []


def test_tables_are_added_up_again_from_archived_months_too(home: Path) -> None:
    """As a migration does."""
    with closing(connect_writer(home / DATABASE)) as db:
        db.executescript("BEGIN; DELETE FROM rollup; DELETE FROM facet; DELETE FROM membership;")
        rebuild(db)
        db.execute("COMMIT")
    assert verify(home).problems == []


# A file that is gone or changed


def removed(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.truncate(4096)


def flipped(path: Path) -> None:
    """In the text of an entry: only who reads the file whole sees it."""
    path.chmod(0o600)
    content = path.read_bytes()
    at = content.index(b'"task_type"') + 3
    path.write_bytes(content[:at] + b"X" + content[at + 1 :])


@pytest.mark.parametrize("harm", [removed, cut, flipped])
def test_a_file_that_is_gone_or_changed_is_named_with_its_remedy(
    home: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    path = sorted((home / "archive").iterdir())[1]
    kept = path.read_bytes()
    harm(path)

    code, told, complaint = budget("verify", home=home)
    assert code == 65
    said = complaint + str(told)
    assert str(path) in said
    assert "backup" in said
    findings = budget("doctor", home=home)[1]["items"]
    bad = [one for one in findings if one["state"] == "bad"]
    assert [str(path) in one["what"] for one in bad] == [True]
    assert "backup" in bad[0]["remedy"]
    if harm is not flipped:
        daemon = Daemon(tmp_path)
        assert daemon.spawn().wait() == 65
        assert str(path) in daemon.lines[-1]
    path.unlink(missing_ok=True)
    path.write_bytes(kept)
    assert verify(home).problems == []


def test_what_lies_in_a_missing_file_is_refused_and_all_else_goes_on(
    before: Months, home: Path, tmp_path: Path
) -> None:
    path = min((home / "archive").iterdir())
    path.unlink()
    daemon = Daemon(tmp_path)
    daemon.flags = ["--accept-loss"]
    daemon.start()
    try:
        gone = daemon.get(f"/reservations/{before.ended[0]}")
        assert (gone.status, gone.body["outcome"]) == (503, "not-applied")
        assert str(path) in gone.body["detail"]
        assert daemon.get("/entries?newest=true&limit=5").status == 200
        assert daemon.get("/entries").status == 503
        body = {"component": "a", "model": "claude-haiku-4-5", "input_tokens": 5}
        assert daemon.post("/reservations", body).status == 201
    finally:
        daemon.kill()
