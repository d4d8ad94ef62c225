"""What the journal's tables tell the price monitor."""

import sqlite3

from pydantic_core import from_json

from actors.prices.known import PriceState, key_of, read_case, read_known
from daemon.journal.archive.walk import SEQ_MAX, entries_at, first_since, walk
from protocols.journal import BOOKINGS, FindProvisional, FoldBookings, StoredBooking

NOTES = "SELECT name, body FROM price_note"
PROVISIONAL = "SELECT seq FROM provisional WHERE seq > ? ORDER BY seq LIMIT ?"
BOOKED = (
    f"AND kind IN ({', '.join(repr(kind) for kind in sorted(BOOKINGS))}) "
    "AND substr(body ->> '$.price_version', 1, ?) = ?"
)


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
    waiting = [seq for (seq,) in db.execute(PROVISIONAL, (ask.after_seq, ask.limit))]
    return [booking(*row[:6]) for row in entries_at(db, waiting)]


def booking(
    seq: int, at_ms: int, kind: str, component: str, subject: str, body: str
) -> StoredBooking:
    return StoredBooking(seq, at_ms, kind, component, subject, from_json(body))


def fold(db: sqlite3.Connection, ask: FoldBookings) -> None:
    """One pass over the entries since the moment; memory does not grow with their number."""
    policies = dict(db.execute("SELECT id, policy FROM window"))
    wanted = (len(ask.version_prefix), ask.version_prefix)
    for row in walk(db, first_since(db, ask.since_ms), SEQ_MAX, BOOKED, *wanted):
        if ask.stop:
            return
        ask.add(booking(*row[:6]), policies)
