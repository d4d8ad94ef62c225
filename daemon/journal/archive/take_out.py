"""What lies in a sealed file is taken out of the database, and its room given back, bit by bit.

From its `archived` entry on, everybody reads a month from its file: what the database still has
of it is a leftover, and may go at any time.
"""

import sqlite3

from actors.journal.take_out import Left, TakeOut
from daemon.journal.archive.sealed import Sealed, border, opened, sealed

PORTION = 500
"""Entries or holds of one transaction: some milliseconds of the writer's time."""
PAGES = 200
FIRST = "SELECT seq FROM entry ORDER BY seq LIMIT 1"
ENTRIES = "DELETE FROM entry WHERE seq < ?"
HOLDS = "SELECT * FROM hold WHERE id > ? ORDER BY id LIMIT ?"
UNMOVED = (
    "DELETE FROM hold WHERE id = ? AND component = ? AND status = ? AND expires_ms = ? "
    "AND usd = ? AND tokens = ? AND calls = ? AND spent_usd = ? AND spent_tokens = ? "
    "AND spent_calls = ? AND late = ? AND opened_seq = ?"
)
"""A hold that has moved since it was copied stays, and counts for more than its copy."""


def take_out(db: sqlite3.Connection, ask: TakeOut) -> Left:
    """One portion; how much is left of what."""
    last = border(db)
    first = db.execute(FIRST).fetchone()
    if first is not None and first[0] <= last:
        one = next(one for one in sealed(db) if one.last_seq >= first[0])
        return leftovers(db, one, first[0], ask)
    return give_back(db)


def leftovers(db: sqlite3.Connection, one: Sealed, first: int, ask: TakeOut) -> Left:
    """Holds first: as long as an entry is left, so may be the hold it opened."""
    after = ask.after if ask.month == one.month else ""
    with opened(db, one) as part:  # nothing goes that is not there
        if after is not None:
            rows = part.execute(HOLDS, (after, PORTION)).fetchall()
            transact(db, UNMOVED, rows)
            more = rows[-1][0] if len(rows) == PORTION else None
            return Left("taking out", one.last_seq + 1 - first, one.month, more)
        upto = min(first + PORTION, one.last_seq + 1)
        transact(db, ENTRIES, [(upto,)])
    return Left("taking out", one.last_seq + 1 - upto, one.month)


def transact(db: sqlite3.Connection, query: str, rows: list[tuple[object, ...]]) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        db.executemany(query, rows)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def give_back(db: sqlite3.Connection) -> Left:
    """Pages that nothing lies on any more go back to the file system."""
    before = free(db)
    db.executescript(f"PRAGMA incremental_vacuum({PAGES})")  # `execute` would step once: one page
    after = free(db)
    return Left("giving back", after if after < before else 0)


def free(db: sqlite3.Connection) -> int:
    (pages,) = db.execute("PRAGMA freelist_count").fetchone()
    return int(pages)
