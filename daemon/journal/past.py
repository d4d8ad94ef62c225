"""The past, entry by entry, for those who ask what would have been."""

import sqlite3
from collections.abc import Iterator

from daemon.journal.prices import booking, first_since
from protocols.journal import FoldPast, StoredBooking

COLUMNS = "seq, at_ms, kind, component, subject, body"
POLICIES = (
    f"SELECT {COLUMNS} FROM entry WHERE seq < ? "  # noqa: S608  # literal columns
    "AND kind IN ('policy_set', 'policy_removed') ORDER BY seq"
)
ENTRIES = f"SELECT {COLUMNS} FROM entry WHERE seq >= ? AND at_ms < ? ORDER BY seq"  # noqa: S608
LAST = "SELECT coalesce(max(seq), 0) FROM entry"
STEP = 1_000
"""Entries between two words of progress, and between two looks whether anybody still waits."""


def fold(db: sqlite3.Connection, ask: FoldPast) -> None:
    """In one transaction, so that the past stands still meanwhile."""
    db.execute("BEGIN")
    since = first_since(db, ask.since_ms)
    start = first_since(db, ask.begin(list(_rows(db, POLICIES, since))))
    (last,) = db.execute(LAST).fetchone()
    for done, entry in enumerate(_rows(db, ENTRIES, start, ask.until_ms)):
        if done % STEP == 0:
            ask.progress(done, last + 1 - start)
            if ask.stop:
                return
        ask.add(entry)


def _rows(db: sqlite3.Connection, query: str, *args: int) -> Iterator[StoredBooking]:
    for row in db.execute(query, args):
        yield booking(*row)
