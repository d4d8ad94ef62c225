"""The past, entry by entry, for those who ask what would have been."""

import sqlite3

from daemon.journal.archive.walk import first_since, walk
from daemon.journal.prices import booking
from protocols.journal import FoldPast

POLICIES = "AND kind IN ('policy_set', 'policy_removed')"
STEP = 1_000
"""Entries between two words of progress, and between two looks whether anybody still waits."""


def fold(db: sqlite3.Connection, ask: FoldPast) -> None:
    """The past stands still by itself: nothing is added to it, and what is there never changes."""
    since = first_since(db, ask.since_ms)
    start = first_since(
        db, ask.begin([booking(*row[:6]) for row in walk(db, 1, since - 1, POLICIES)])
    )
    last = first_since(db, ask.until_ms) - 1
    for done, row in enumerate(walk(db, start, last)):
        if done % STEP == 0:
            ask.progress(done, last + 1 - start)
            if ask.stop:
                return
        ask.add(booking(*row[:6]))
