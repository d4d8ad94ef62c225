"""Whether the sealed files are there, and are what was sealed."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from daemon.journal.archive.copy import digest_of
from daemon.journal.archive.sealed import REMEDY, Gone, Sealed, folder_of, opened, sealed

LAST = "SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1"


def missing_files(db: sqlite3.Connection) -> Iterator[str]:
    """What a look tells, at every start: a file that is gone, cut, or of another journal."""
    for one in sealed(db):
        path = folder_of(db) / one.name
        try:
            with opened(db, one) as part:
                last = part.execute(LAST).fetchone()
        except Gone as gone:
            yield str(gone)
            continue
        if path.stat().st_size != one.bytes or last != (one.last_seq, bytes.fromhex(one.hash)):
            yield changed(path, one)


def changed_files(db: sqlite3.Connection) -> Iterator[str]:
    """What reading them whole tells: every bit that has changed since."""
    for one in sealed(db):
        path = folder_of(db) / one.name
        try:
            with opened(db, one):
                sound = digest_of(path) == one.sha256
        except Gone as gone:
            yield str(gone)
            continue
        if not sound:
            yield changed(path, one)


def changed(path: Path, one: Sealed) -> str:
    return f"{path}, which has {one.whose}, is not as it was sealed; {REMEDY}"
