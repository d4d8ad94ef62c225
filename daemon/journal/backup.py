"""A copy of a journal: one moment of it, by SQLite's own means, checked before it counts."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from daemon.journal.anchor import sync_directory
from daemon.journal.archive.bring import bring
from daemon.journal.archive.sealed import FOLDER
from daemon.journal.faults import Damaged, NotWritable
from daemon.journal.files import connect_reader, fault_of
from daemon.journal.verify import Report, verify_file

PAGES = 2000
"""Copied between two reports of progress: 8 MB."""

Progress = Callable[[str, int, int], None]


def back_up(source: Path, to: Path, progress: Progress) -> Report:
    """Copy, beside a running daemon too, and verify the copy. Never writes over a file.

    Sealed months go into the folder `archive` beside it; one that is there already is not copied
    again, so that many backups in one folder share them.
    Raises a `JournalFault`; what does not verify is not kept.
    """
    if to.exists():
        raise NotWritable(f"{to} is there already; name another file")
    part = to.with_name(f"{to.name}.part")
    try:
        copy(source, part, progress)
        bring(part, source.parent / FOLDER, progress)
        report = verify_file(part, lambda done, total: progress("verifying", done, total))
        if not report.clean:
            raise Damaged(f"{source} does not verify: {report.problems[0]}")
        part.rename(to)
        sync_directory(to.absolute().parent)
    finally:
        part.unlink(missing_ok=True)
    return report


def copy(source: Path, to: Path, progress: Progress) -> None:
    """All of one moment; one plain file, durable and readable by its owner only.

    A read transaction spans the copy: it sees nothing of what is written meanwhile, and never has
    to begin again. Nobody waits for it, but the write-ahead log grows until it is done.
    """
    if not source.exists():
        raise Damaged(f"there is no journal at {source}")
    try:
        to.unlink(missing_ok=True)
        os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise NotWritable(f"cannot write {to}: {error.strerror}") from error
    try:
        reader, target = connect_reader(source), sqlite3.connect(to, isolation_level=None)
        try:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_schema")
            reader.backup(
                target, pages=PAGES, sleep=0,
                progress=lambda _, left, total: progress("copying", total - left, total),
            )  # fmt: skip
            target.execute("PRAGMA journal_mode = DELETE")  # one file, readable from anywhere
        finally:
            target.close()
            reader.close()
    except sqlite3.Error as error:
        raise fault_of(source, error) from error
