"""Roll-ups on disk: facets get numbers, and every sum is kept in each width."""

import sqlite3
from collections.abc import Iterable

from pydantic_core import from_json

from actors.journal.facet import WIDTHS_MS, Facet, RollupKey, policies_text
from actors.journal.projection import SUMS, Changes, add
from daemon.journal.archive.walk import entry_at, walk
from daemon.journal.faults import Damaged
from protocols.journal import Entry

FACET = ("component", "provider", "model", "tier", "task_type", "price_version", "tags", "policies")
FIND = f"SELECT id FROM facet WHERE {' AND '.join(f'{name} = ?' for name in FACET)}"  # noqa: S608
NUMBER = f"INSERT INTO facet ({', '.join(FACET)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
POLICY = "SELECT policy FROM window WHERE id = ?"
ADD = (
    f"INSERT INTO rollup VALUES (?, ?, ?, {', '.join('?' * len(SUMS))}) "  # noqa: S608
    "ON CONFLICT (width_ms, starts_ms, facet) DO UPDATE SET "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in SUMS)
)
REMEMBERED_MAX = 20_000
AT_ONCE = 20_000
"""Entries that a rebuild adds up before it writes."""


class Facets:
    """The numbers of facets, as far as remembered. A window stays with its policy for ever."""

    def __init__(self) -> None:
        self._numbers: dict[Facet, int] = {}

    def number(self, db: sqlite3.Connection, facet: Facet) -> int:
        found = self._numbers.get(facet)
        if found is None:
            if len(self._numbers) >= REMEMBERED_MAX:
                self._numbers.clear()
            found = self._numbers[facet] = _number(db, facet)
        return found

    def forget(self) -> None:
        """What was numbered in a transaction that was taken back has no number."""
        self._numbers.clear()


def _number(db: sqlite3.Connection, facet: Facet) -> int:
    found = [db.execute(POLICY, (window,)).fetchone() for window in facet.windows]
    names = {str(row[0]) for row in found if row is not None}
    row = (*facet[:-2], policies_text(names) or facet.refused_by)
    known = db.execute(FIND, row).fetchone()
    number = known[0] if known is not None else db.execute(NUMBER, row).lastrowid
    assert number is not None
    return int(number)


def add_up(
    db: sqlite3.Connection, facets: Facets, rollups: Iterable[tuple[RollupKey, list[int]]]
) -> None:
    """Facets that differ in their windows only may be one; then one row takes both."""
    merged: dict[tuple[int, int], list[int]] = {}
    for (starts_ms, facet), sums in rollups:
        key = (starts_ms, facets.number(db, facet))
        if key in merged:
            add(merged[key], sums)
        else:
            merged[key] = sums
    db.executemany(
        ADD,
        [
            (width, starts_ms - starts_ms % width, number, *sums)
            for (starts_ms, number), sums in merged.items()
            for width in WIDTHS_MS
        ],
    )


def completed(db: sqlite3.Connection, entry: Entry) -> Entry:
    """A correction of before schema 4 lacks what its booking says: tier, tags, and its time."""
    if entry.kind == "corrected" and "booked_ms" not in entry.body:
        found = entry_at(db, entry.body["of"])
        if found is None:
            return entry
        booked_ms, booking = found[1], from_json(found[5])
        same = {name: booking[name] for name in ("tier", "tags") if name in booking}
        entry.body = {**entry.body, **same, "booked_ms": booked_ms}
    return entry


def rebuild(db: sqlite3.Connection) -> None:
    """Add all entries up into empty tables."""
    facets, changes = Facets(), Changes()
    for seq, at_ms, kind, component, subject, text, digest in walk(db):
        entry = Entry(seq, at_ms, kind, component, subject, text, from_json(text), digest)
        try:
            changes.add(completed(db, entry))
        except (KeyError, ValueError, TypeError) as error:
            raise Damaged(f"entry {seq} cannot be understood: {error!r}; see verify") from error
        if seq % AT_ONCE == 0:
            _write(db, facets, changes)
            changes = Changes()
    _write(db, facets, changes)


def _write(db: sqlite3.Connection, facets: Facets, changes: Changes) -> None:
    for fact in changes.facts:
        if fact.table == "membership" and fact.row is not None:
            db.execute("INSERT OR REPLACE INTO membership VALUES (?, ?)", fact.row)
    add_up(db, facets, changes.rollups.items())
