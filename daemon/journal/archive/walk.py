"""Entries wherever they lie: sealed files first, then the database, as one row of numbers."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from daemon.journal.archive.sealed import border, opened, sealed
from protocols.month import ends_ms

SEQ_MAX = 2**63 - 1
COLUMNS = "seq, at_ms, kind, component, subject, body, hash"
AT = f"SELECT {COLUMNS} FROM entry WHERE seq = ?"  # noqa: S608  # literal columns
AT_MS = "SELECT at_ms FROM entry WHERE seq >= ? ORDER BY seq LIMIT 1"
LAST = "SELECT coalesce(max(seq), 0) FROM entry"
AT_ONCE = 2_000
"""Entries that are read from the living database in one go: no snapshot is kept for longer, so
that the log can be folded back meanwhile."""

Row = tuple[Any, ...]


class Part(NamedTuple):
    """Where the entries `first` to `last` lie."""

    db: sqlite3.Connection
    first: int
    last: int


def parts(db: sqlite3.Connection, first: int = 1, last: int = SEQ_MAX) -> Iterator[Part]:
    """The places of these entries, the oldest first. Each is open until the next is asked for."""
    files = sealed(db)
    for one in files:
        if one.first_seq <= last and one.last_seq >= first:
            with opened(db, one) as part:
                yield Part(part, max(first, one.first_seq), min(last, one.last_seq))
    after = files[-1].last_seq + 1 if files else 1
    if last >= after:
        yield Part(db, max(first, after), last)


def parts_back(db: sqlite3.Connection, last: int = SEQ_MAX) -> Iterator[Part]:
    """As `parts`, the newest first."""
    files = sealed(db)
    after = files[-1].last_seq + 1 if files else 1
    if last >= after:
        yield Part(db, after, last)
    for one in reversed(files):
        if one.first_seq <= last:
            with opened(db, one) as part:
                yield Part(part, one.first_seq, min(last, one.last_seq))


def walk(
    db: sqlite3.Connection, first: int = 1, last: int = SEQ_MAX, only: str = "", *args: object
) -> Iterator[Row]:
    """Entries in order, `only` those that fit. Months may be archived meanwhile."""
    query = (
        f"SELECT {COLUMNS} FROM entry WHERE seq BETWEEN ? AND ? {only} "  # noqa: S608  # literals
        "ORDER BY seq LIMIT ?"
    )
    while first <= last:
        with standing_still(db):
            one = next((one for one in sealed(db) if one.last_seq >= first), None)
            rows = [] if one else db.execute(query, (first, last, *args, AT_ONCE)).fetchall()
        if one is not None:
            with opened(db, one) as part:
                yield from part.execute(query, (first, min(last, one.last_seq), *args, -1))
            first = one.last_seq + 1
        else:
            yield from rows
            if len(rows) < AT_ONCE:
                return
            first = rows[-1][0] + 1


@contextmanager
def standing_still(db: sqlite3.Connection) -> Iterator[None]:
    """What is read within is of one moment."""
    if db.in_transaction:
        yield
        return
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("COMMIT")


def entries_at(db: sqlite3.Connection, numbers: Iterable[int]) -> Iterator[Row]:
    """The entries with these numbers that there are, in order."""
    wanted = sorted(numbers)
    if not wanted:
        return
    with standing_still(db):
        for part in parts(db, wanted[0], wanted[-1]):
            for seq in wanted:
                if part.first <= seq <= part.last:
                    yield from part.db.execute(AT, (seq,))


def entry_at(db: sqlite3.Connection, seq: int) -> Row | None:
    """One entry: in the database if it is there, and a file is opened only if it is not."""
    row: Row | None = db.execute(AT, (seq,)).fetchone()
    if row is None and seq <= border(db):
        row = next(entries_at(db, [seq]), None)
    return row


def last_seq(db: sqlite3.Connection) -> int:
    return int(db.execute(LAST).fetchone()[0])


def first_since(db: sqlite3.Connection, at_ms: int) -> int:
    """The first entry of that moment or later; one more than the last if there is none."""
    with standing_still(db):
        one = next((one for one in sealed(db) if ends_ms(one.month) > at_ms), None)
        if one is None:
            return halve(db, border(db) + 1, last_seq(db) + 1, at_ms)
    with opened(db, one) as part:
        return halve(part, one.first_seq, one.last_seq + 1, at_ms)


def halve(db: sqlite3.Connection, low: int, high: int, at_ms: int) -> int:
    """Entries are in order of time, so halve the way."""
    while low < high:
        middle = (low + high) // 2
        found = db.execute(AT_MS, (middle,)).fetchone()
        if found is not None and found[0] < at_ms:
            low = middle + 1
        else:
            high = middle
    return low
