"""A backup becomes the journal; what was there is kept beside it."""

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from daemon.journal import anchor
from daemon.journal.anchor import Mark
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
    new = data_dir / f"{DATABASE}.restored"
    try:
        report = prepared(backup, new, progress)
        lost = would_lose(new, data_dir)
        if lost is not None and not accept_loss:
            what = f"{backup} is not the latest: {lost[1]}"
            raise WouldLose(f"{what}; --accept-loss restores it anyway")
        kept = set_aside(data_dir)
        new.rename(data_dir / DATABASE)
        anchor.begin(data_dir, report.last)
    finally:
        for left in data_dir.glob(f"{new.name}*"):
            left.unlink()
    return Restored(report, 0 if lost is None else lost[0], kept)


def prepared(backup: Path, new: Path, progress: Progress) -> Report:
    """A copy that is whole, and of this version's schema."""
    if not backup.is_file():
        raise Damaged(f"there is no backup at {backup}")
    copy(backup, new, progress)
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
    """Rename the database and its log, so that nothing is ever lost by a restore."""
    there = data_dir / DATABASE
    if not there.exists():
        for suffix in LOGS[1:]:
            (data_dir / f"{DATABASE}{suffix}").unlink(missing_ok=True)
        return None
    number = 1
    while (kept := data_dir / f"{DATABASE}.before-restore-{number}").exists():
        number += 1
    for suffix in LOGS:
        part = data_dir / f"{DATABASE}{suffix}"
        if part.exists():
            part.rename(f"{kept}{suffix}")
    return kept
