"""Holds against the entries: each with what is held, spent and over, once.

There may be as many as calls were ever made, so only the latest are kept in memory; the others
lie in a table of our own on disk until they move again, and are compared in order.
"""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from actors.journal.projection import HoldMoved, HoldOpened
from daemon.journal.holds import every_hold
from protocols.journal import Entry

AT_ONCE = 50_000
TABLE = (
    "CREATE TABLE hold (id TEXT PRIMARY KEY, a, b, c, d, e, f, g, h, i, j, k) WITHOUT ROWID;"
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN"
)
PUT = "INSERT OR REPLACE INTO hold VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
THERE = "SELECT 1 FROM hold WHERE id = ?"

Say = Callable[[str], None]


class HoldTruth:
    """The holds as the entries say they must be."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.count = 0
        self._rows: dict[str, list[Any]] = {}
        self._full = AT_ONCE
        self._aside = sqlite3.connect("", isolation_level=None)  # a file that goes with us
        self._aside.executescript(TABLE)

    def open(self, opened: HoldOpened) -> None:
        self._rows[opened.id] = [
            opened.component, "held", opened.expires_ms, opened.usd, opened.tokens, opened.calls,
            0, 0, 0, 0, opened.seq,
        ]  # fmt: skip
        if len(self._rows) > self._full:
            self._set_aside({name for name, row in self._rows.items() if row[1] != "held"})
            self._full = len(self._rows) + AT_ONCE

    def move(self, entry: Entry, moved: HoldMoved) -> None:
        row = self._find(moved.id)
        if row is None:
            self.say(f"entry {entry.seq} moves {moved.id}, which was never opened")
            return
        ends = moved.status is not None and moved.id == entry.subject
        late = moved.late and row[1] == "expired"
        if ends and row[1] != "held" and not late:
            self.say(f"entry {entry.seq} ends {moved.id} again: it was {row[1]}")
        row[1] = moved.status or row[1]
        row[2] = moved.expires_ms or row[2]
        if moved.left is not None:
            row[3:6] = moved.left
        row[6] += moved.spent_usd
        row[7] += moved.spent_tokens
        row[8] += moved.spent_calls
        row[9] |= moved.late

    def __contains__(self, name: object) -> bool:
        return name in self._rows or self._aside.execute(THERE, (name,)).fetchone() is not None

    def compare(self, db: sqlite3.Connection) -> None:
        """With those of the database and of every sealed file."""
        self._set_aside(set(self._rows))
        (self.count,) = self._aside.execute("SELECT count(*) FROM hold").fetchone()
        told = self._aside.execute("SELECT * FROM hold ORDER BY id")
        for name, mine, found in unlike(told, every_hold(db)):
            self.say(f"hold {name}: entries add up to {mine}, the table has {found}")

    def _find(self, name: str) -> list[Any] | None:
        row = self._rows.get(name)
        if row is None:
            kept = self._aside.execute("SELECT * FROM hold WHERE id = ?", (name,)).fetchone()
            if kept is not None:
                row = self._rows[name] = list(kept[1:])
        return row

    def _set_aside(self, names: set[str]) -> None:
        self._aside.executemany(PUT, [(name, *self._rows.pop(name)) for name in sorted(names)])


Row = tuple[Any, ...]


def unlike(
    told: Iterator[Row], found: Iterator[Row]
) -> Iterator[tuple[str, Row | None, Row | None]]:
    """Where two lists in order of their first column differ: the key, and both rows."""
    mine, other = next(told, None), next(found, None)
    while mine is not None or other is not None:
        key = min(row[0] for row in (mine, other) if row is not None)
        one = mine if mine is not None and mine[0] == key else None
        two = other if other is not None and other[0] == key else None
        if one != two:
            yield key, one and one[1:], two and two[1:]
        mine = next(told, None) if one is not None else mine
        other = next(found, None) if two is not None else other
