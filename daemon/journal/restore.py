"""A backup becomes the journal; what was there is kept beside it."""

import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from daemon.journal import anchor
from daemon.journal.anchor import Mark
from daemon.journal.archive.bring import bring, link_all, put_in_place
from daemon.journal.archive.sealed import FOLDER
from daemon.journal.backup import Progress, copy
from daemon.journal.faults import Damaged, JournalFault
from daemon.journal.files import DATABASE, connect_reader, connect_writer
from daemon.journal.verify import Report, verify_file

LOGS = ("", "-wal", "-shm")


class WouldLose(JournalFault):
    """The backup is older than what is there."""

    exit_code = 1


@dataclass(slots=True)
class Restored:
    report: Report
    lost: int
    """Entries that were written and are not in the backup."""
    kept: Path | None
    """The database that was there before."""


def restore(backup: Path, data_dir: Path, progress: Progress, *, accept_loss: bool) -> Restored:
    """Call it with the data directory locked. Raises a `JournalFault`, and then nothing changed."""
    staged = data_dir / "restoring"
    shutil.rmtree(staged, ignore_errors=True)
    try:
        staged.mkdir(mode=0o700)
        report = prepared(backup, staged, progress)
        lost = would_lose(staged / DATABASE, data_dir)
        if lost is not None and not accept_loss:
            what = f"{backup} is not the latest: {lost[1]}"
            raise WouldLose(f"{what}; --accept-loss restores it anyway")
        kept = set_aside(data_dir)
        put_in_place(staged / FOLDER, data_dir / FOLDER)
        (staged / DATABASE).rename(data_dir / DATABASE)
        anchor.begin(data_dir, report.last)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Restored(report, 0 if lost is None else lost[0], kept)


def prepared(backup: Path, staged: Path, progress: Progress) -> Report:
    """A copy that is whole, and of this version's schema, with its sealed months beside it."""
    if not backup.is_file():
        raise Damaged(f"there is no backup at {backup}")
    new = staged / DATABASE
    copy(backup, new, progress)
    bring(new, backup.absolute().parent / FOLDER, progress)
    connect_writer(new).close()
    report = verify_file(new, lambda done, total: progress("verifying", done, total))
    if not report.clean:
        raise Damaged(f"{backup} does not verify: {report.problems[0]}")
    return report


def would_lose(backup: Path, data_dir: Path) -> tuple[int, str] | None:
    """How many entries that were written are not in the backup, and how we know."""
    mark = last_known(data_dir)
    db = connect_reader(backup)
    try:
        why = anchor.missing(db, mark)
        last = anchor.last_of(db)
    finally:
        db.close()
    return None if why is None else (max(0, mark.seq - last.seq), why)


def last_known(data_dir: Path) -> Mark:
    """The last entry that anchor or database tell of; neither need be sound."""
    marks = [anchor.NOTHING]
    with suppress(Damaged):
        marks.append(anchor.read(data_dir) or anchor.NOTHING)
    with suppress(sqlite3.Error), closing(connect_reader(data_dir / DATABASE)) as db:
        marks.append(anchor.last_of(db))
    return max(marks)


def set_aside(data_dir: Path) -> Path | None:
    """Database, log and sealed months in a folder of their own: nothing is ever lost by a restore,
    and what was there is a backup like any other.
    """
    if not (data_dir / DATABASE).exists():
        for suffix in LOGS[1:]:
            (data_dir / f"{DATABASE}{suffix}").unlink(missing_ok=True)
        return None
    number = 1
    while (kept := data_dir / f"before-restore-{number}").exists():
        number += 1
    kept.mkdir(mode=0o700)
    link_all(data_dir / FOLDER, kept / FOLDER)
    for suffix in LOGS:
        part = data_dir / f"{DATABASE}{suffix}"
        if part.exists():
            part.rename(kept / part.name)
    return kept / DATABASE
