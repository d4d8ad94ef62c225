"""The sealed files: which there are, where they lie, and how one is opened.

They lie in the folder `archive` beside the database that names them, wherever it is: in the data
directory, or where a backup was put. Nobody writes to one again, so it is read without locks.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from daemon.journal.faults import Damaged
from protocols.archive import ArchivedMonth
from protocols.period import rfc3339

FOLDER = "archive"
TABLE = "SELECT 1 FROM sqlite_schema WHERE name = 'archive'"
ALL = "SELECT * FROM archive ORDER BY first_seq"
BORDER = "SELECT coalesce(max(last_seq), 0) FROM archive"
REMEDY = "bring the file back from a backup"


class Gone(Damaged):
    """A sealed file is not there, or is another."""


class Sealed(NamedTuple):
    """A closed month in a file: the row of the table `archive`. Hashes are in hex."""

    month: str
    first_seq: int
    last_seq: int
    before: str
    """The hash of the entry before its first."""
    hash: str
    """The hash of its last entry."""
    sha256: str
    """Of the file."""
    bytes: int
    at_ms: int

    @property
    def name(self) -> str:
        return f"{self.month}.db"

    @property
    def whose(self) -> str:
        return f"entries {self.first_seq} to {self.last_seq}"


def sealed(db: sqlite3.Connection) -> list[Sealed]:
    """The oldest first. A database of before schema 8 has none."""
    if db.execute(TABLE).fetchone() is None:
        return []
    return [Sealed(*row) for row in db.execute(ALL)]


def archived_months(db: sqlite3.Connection) -> list[ArchivedMonth]:
    return [
        ArchivedMonth(
            one.month, f"{FOLDER}/{one.name}", one.first_seq, one.last_seq,
            one.last_seq + 1 - one.first_seq, one.hash, one.sha256, one.bytes, rfc3339(one.at_ms),
        )
        for one in sealed(db)
    ]  # fmt: skip


def border(db: sqlite3.Connection) -> int:
    """The last entry that lies in a file. What the database still has up to it is a leftover."""
    if db.execute(TABLE).fetchone() is None:
        return 0
    (last,) = db.execute(BORDER).fetchone()
    return int(last)


def folder_of(db: sqlite3.Connection) -> Path:
    (path,) = (row[2] for row in db.execute("PRAGMA database_list") if row[1] == "main")
    return Path(path).parent / FOLDER


@contextmanager
def opened(db: sqlite3.Connection, one: Sealed) -> Iterator[sqlite3.Connection]:
    """Its file, for reading. Raises `Gone` naming it."""
    path = folder_of(db) / one.name
    part = connect(path, one)
    try:
        yield part
    except sqlite3.DatabaseError as error:
        raise Gone(f"{path}, which has {one.whose}, cannot be read: {error}; {REMEDY}") from error
    finally:
        part.close()


def connect(path: Path, one: Sealed) -> sqlite3.Connection:
    if not path.exists():
        raise Gone(f"{path}, which has {one.whose}, is gone; {REMEDY}")
    where = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False)
