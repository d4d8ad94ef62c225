"""The sealed files: which there are, where they lie, and how one is opened.

They lie in the folder `archive` beside the database that names them, wherever it is: in the data
directory, or where a backup was put. Nobody writes to one again, so it is read without locks.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from daemon.journal.faults import Damaged

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


def month_of(at_ms: int) -> str:
    """The calendar month of a moment, in UTC: `2026-08`."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m}"


def ends_ms(month: str) -> int:
    """The first moment after a month."""
    year, number = map(int, month.split("-"))
    return int(datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp() * 1000)


def closed_before_ms(now_ms: int, after_months: int) -> int:
    """What was before this moment is old enough to be archived."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    months = max(now.year * 12 + now.month - 1 - after_months, 12)
    return int(datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC).timestamp() * 1000)
