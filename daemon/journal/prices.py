"""What the journal's tables tell the price monitor."""

import sqlite3

from pydantic_core import from_json

from actors.prices.known import PriceState, key_of, read_case, read_known
from protocols.journal import BOOKINGS, FindProvisional, FoldBookings, StoredBooking

NOTES = "SELECT name, body FROM price_note"
PROVISIONAL = (
    "SELECT e.seq, e.at_ms, e.kind, e.component, e.subject, e.body FROM provisional p "
    "JOIN entry e ON e.seq = p.seq WHERE p.seq > ? ORDER BY p.seq LIMIT ?"
)
_KINDS = ", ".join(f"'{kind}'" for kind in sorted(BOOKINGS))
BOOKED = (
    "SELECT seq, at_ms, kind, component, subject, body FROM entry "  # noqa: S608  # literal kinds
    f"WHERE seq >= ? AND kind IN ({_KINDS}) "
    "AND substr(body ->> '$.price_version', 1, ?) = ?"
)
AT_MS = "SELECT at_ms FROM entry WHERE seq >= ? ORDER BY seq LIMIT 1"


def load(db: sqlite3.Connection) -> PriceState:
    """In the order it was written."""
    state = PriceState()
    rows = db.execute("SELECT id, known_ms, body FROM price_known").fetchall()
    for _, known_ms, body in sorted(rows, key=lambda row: tuple(map(int, row[0].split(".")))):
        state.known.append(read_known(from_json(body), known_ms))
    for name, text in db.execute(NOTES):
        kind, _, about = name.partition(" ")
        body = from_json(text)
        if kind == "case":
            state.cases.append(read_case(body))
        elif kind == "pin":
            state.pins.append(key_of(body["provider"], body["model"]))
        else:
            state.sources[about] = body
    return state


def provisional(db: sqlite3.Connection, ask: FindProvisional) -> list[StoredBooking]:
    rows = db.execute(PROVISIONAL, (ask.after_seq, ask.limit))
    return [booking(*row) for row in rows]


def booking(
    seq: int, at_ms: int, kind: str, component: str, subject: str, body: str
) -> StoredBooking:
    return StoredBooking(seq, at_ms, kind, component, subject, from_json(body))


def fold(db: sqlite3.Connection, ask: FoldBookings) -> None:
    """One pass over the entries since the moment; memory does not grow with their number."""
    policies = dict(db.execute("SELECT id, policy FROM window"))
    since = first_since(db, ask.since_ms)
    for row in db.execute(BOOKED, (since, len(ask.version_prefix), ask.version_prefix)):
        ask.add(booking(*row), policies)


def first_since(db: sqlite3.Connection, at_ms: int) -> int:
    """The first entry of that moment or later: entries are in order of time, so halve the way."""
    low, high = 1, db.execute("SELECT coalesce(max(seq), 0) FROM entry").fetchone()[0] + 1
    while low < high:
        middle = (low + high) // 2
        found = db.execute(AT_MS, (middle,)).fetchone()
        if found is not None and found[0] < at_ms:
            low = middle + 1
        else:
            high = middle
    return low
