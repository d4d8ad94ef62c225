"""The file of a closed month: copied in portions, brought to the disk, sealed, then named.

It counts from the moment its `archived` entry is written; until then it is written over.
"""

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from actors.archive.vault import CopyMonth
from actors.journal.chain import GENESIS, hash_of
from daemon.journal.anchor import sync_directory
from daemon.journal.archive.sealed import folder_of, sealed
from daemon.journal.archive.walk import AT_MS, halve, last_seq
from daemon.journal.faults import Damaged
from protocols.month import ends_ms, month_of

PORTION = 1_000
TABLES = (
    "SELECT sql FROM sqlite_schema WHERE name IN ('entry', 'hold', 'entry_policies') "
    "AND type IN ('table', 'index') ORDER BY type DESC"
)
OURS = "PRAGMA application_id = 1952145969; PRAGMA user_version = 1;"
ENTRIES = "SELECT * FROM entry WHERE seq BETWEEN ? AND ? ORDER BY seq"
INSERT_ENTRY = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)"
ENDED = (
    "SELECT * FROM hold WHERE id > ? AND opened_seq <= ? AND status != 'held' ORDER BY id LIMIT ?"
)
INSERT_HOLD = "INSERT INTO hold VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

Rest = Callable[[float], None]


class Month(NamedTuple):
    """Entries of one month of the calendar that is over."""

    name: str
    first: int
    last: int
    before: bytes
    """The hash of the entry before its first."""


def next_month(db: sqlite3.Connection, before_ms: int) -> Month | None:
    """The oldest month that was over before this moment and lies in no file."""
    files = sealed(db)
    first = files[-1].last_seq + 1 if files else 1
    row = db.execute(AT_MS, (first,)).fetchone()
    if row is None or ends_ms(month_of(row[0])) > before_ms:
        return None
    name = month_of(row[0])
    last = halve(db, first, last_seq(db) + 1, ends_ms(name)) - 1
    before = bytes.fromhex(files[-1].hash) if files else GENESIS
    return Month(name, first, last, before)


def copy_month(db: sqlite3.Connection, ask: CopyMonth, rest: Rest = time.sleep) -> Any:
    """The body of the entry that makes it count; None if no month is due, or it was stopped.

    Raises `Damaged` for what does not hang together: only what is true is sealed. It rests as
    long as it works: callers are answered by the same process.
    """
    month = next_month(db, ask.before_ms)
    if month is None:
        return None
    folder = folder_of(db)
    folder.mkdir(mode=0o700, exist_ok=True)
    part = new_file(folder / f"{month.name}.db.part")
    with closing(sqlite3.connect(part, isolation_level=None)) as to:
        digest = fill(db, to, month, ask, rest)
    if ask.stop:
        part.unlink()
        return None
    sha256 = seal(part, folder / f"{month.name}.db")
    return {
        "month": month.name, "first_seq": month.first, "last_seq": month.last,
        "before": month.before.hex(), "hash": digest.hex(), "sha256": sha256,
        "bytes": (folder / f"{month.name}.db").stat().st_size,
    }  # fmt: skip


def fill(
    db: sqlite3.Connection, to: sqlite3.Connection, month: Month, ask: CopyMonth, rest: Rest
) -> bytes:
    """Entries, and the holds that have ended; the hash of the last entry."""
    to.execute("PRAGMA journal_mode = OFF")  # what is torn is made again
    to.execute("PRAGMA synchronous = OFF")
    to.executescript(OURS + "; ".join(sql for (sql,) in db.execute(TABLES)))
    to.execute("BEGIN")
    total = month.last - month.first + 1
    before = month.before
    for first, after in pairwise((*range(month.first, month.last + 1, PORTION), month.last + 1)):
        began = time.monotonic()
        rows = db.execute(ENTRIES, (first, after - 1)).fetchall()
        before = checked(rows, first, after, before)
        to.executemany(INSERT_ENTRY, rows)
        ask.progress("copying", month.name, after - month.first, total)
        if ask.stop:
            return before
        rest(time.monotonic() - began)
    copy_holds(db, to, month.last, rest)
    to.execute("COMMIT")
    return before


def checked(rows: list[tuple[Any, ...]], first: int, after: int, before: bytes) -> bytes:
    """Whether none is missing, and each hangs on the one before."""
    for seq, row in enumerate(rows, first):
        if row[0] != seq or hash_of(before, *row[:6]) != row[6]:
            raise Damaged(f"entry {seq} is missing or was changed; see `budget verify`")
        before = row[6]
    if len(rows) != after - first:
        raise Damaged(f"entry {first + len(rows)} is missing; see `budget verify`")
    return before


def copy_holds(db: sqlite3.Connection, to: sqlite3.Connection, last: int, rest: Rest) -> None:
    """What is still open stays, and what moves again comes back."""
    name = ""
    while True:
        began = time.monotonic()
        rows = db.execute(ENDED, (name, last, PORTION)).fetchall()
        to.executemany(INSERT_HOLD, rows)
        if len(rows) < PORTION:
            return
        name = rows[-1][0]
        rest(time.monotonic() - began)


def seal(part: Path, name: Path) -> str:
    """On the disk for good, readable and no more; the digest of the file."""
    part.chmod(0o400)
    sha256 = digest_of(part)
    handle = os.open(part, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    part.replace(name)
    sync_directory(name.parent)
    sync_directory(name.parent.parent)
    return sha256


def new_file(path: Path) -> Path:
    """Empty, and its owner's alone."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return path


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
