"""What is asked of holds: those in the database, and those that ended in archived months.

A hold that moved again after its month was archived has a row in the database once more, or in a
later file: of several rows the newest counts.
"""

import heapq
import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any

from pydantic_core import from_json

from daemon.journal.archive.sealed import opened, sealed
from daemon.journal.archive.walk import entry_at
from daemon.journal.faults import Damaged
from protocols.journal import StoredHold
from protocols.ledger import Held, Holds, HoldShown, ListAllocations, ListReservations
from protocols.money import show_usd
from protocols.month import ends_ms
from protocols.names import made_ms
from protocols.period import rfc3339

HOLD = (
    "SELECT h.id, h.component, h.status, h.expires_ms, h.usd, h.tokens, h.calls, h.spent_usd, "
    "h.spent_tokens, h.spent_calls, h.late, h.opened_seq, e.body "
    "FROM hold h LEFT JOIN entry e ON e.seq = h.opened_seq "
)
PAGE = (
    "WHERE h.id > ? AND h.id < ? AND (? IS NULL OR h.component = ?) "
    "AND (? IS NULL OR h.status = ?) ORDER BY h.id"
)
ONE = HOLD + "WHERE h.id = ?"
ROW = "SELECT * FROM hold WHERE id = ?"
COUNTED = (
    "SELECT 1 FROM window w JOIN membership m ON m.policy = w.policy "
    "WHERE m.budget = ? AND w.id IN (SELECT value FROM json_each(?, '$.windows'))"
)
THERE = "SELECT id FROM hold WHERE id IN (SELECT value FROM json_each(?))"
INSERT = "INSERT INTO hold VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
PRICE = "SELECT body FROM price WHERE id = ?"
NONE = Held(show_usd(0), 0, 0)

Row = tuple[Any, ...]


def find_hold(db: sqlite3.Connection, name: str) -> StoredHold | None:
    row = find_row(db, name, ONE)
    return None if row is None else stored_hold(db, row)


def find_row(db: sqlite3.Connection, name: str, query: str = ROW) -> Row | None:
    """Its newest row, wherever it is."""
    for place in places(db, name):
        row: Row | None = place.execute(query, (name,)).fetchone()
        if row is not None:
            return row
    return None


def places(db: sqlite3.Connection, made_after: str) -> Iterator[sqlite3.Connection]:
    """Where holds may be whose ids are not less than this one, the newest place first."""
    yield db
    for one in reversed(sealed(db)):
        if not made_after or ends_ms(one.month) > made_ms(made_after):
            with opened(db, one) as part:
                yield part


def bring_back(db: sqlite3.Connection, names: set[str]) -> set[str]:
    """Those of these holds that the database has no more are copied into it from their files."""
    marks = json.dumps(sorted(names))
    there = {name for (name,) in db.execute(THERE, (marks,))}
    rows = [row for name in sorted(names - there) if (row := find_row(db, name)) is not None]
    db.executemany(INSERT, rows)
    return {row[0] for row in rows}


def every_hold(db: sqlite3.Connection) -> Iterator[Row]:
    """The newest row of each, in order of their ids."""
    with ExitStack() as stack:
        files = [stack.enter_context(opened(db, one)) for one in reversed(sealed(db))]
        found = [tagged(place, age) for age, place in enumerate([db, *files])]
        last = ""
        for name, _, row in heapq.merge(*found):
            if name != last:
                yield row
            last = name


def tagged(db: sqlite3.Connection, age: int) -> Iterator[tuple[str, int, Row]]:
    for row in db.execute("SELECT * FROM hold ORDER BY id"):
        yield row[0], age, row


def open_holds(db: sqlite3.Connection) -> list[StoredHold]:
    return [stored_hold(db, row) for row in db.execute(HOLD + "WHERE h.status = 'held'")]


def stored_hold(db: sqlite3.Connection, row: Row) -> StoredHold:
    body = from_json(row[12] or _opening(db, row[11]))
    price = db.execute(PRICE, (body["price_version"],)).fetchone()
    return StoredHold(
        id=row[0], component=row[1], status=row[2], expires_ms=row[3],
        usd=row[4], tokens=row[5], calls=row[6], opened=body,
        price=None if price is None else from_json(price[0]),
        spent_usd=row[7], spent_tokens=row[8], spent_calls=row[9], late=bool(row[10]),
    )  # fmt: skip


def _opening(db: sqlite3.Connection, seq: int) -> str:
    """The body of an entry that lies elsewhere than the hold it opened."""
    entry = entry_at(db, seq)
    if entry is None:
        raise Damaged(f"entry {seq} is missing, and a hold was opened by it; see `budget verify`")
    text: str = entry[5]
    return text


def list_holds(db: sqlite3.Connection, ask: ListReservations | ListAllocations) -> Holds:
    """A page of reservations or of allocations, oldest first."""
    first, last = ("rsv_", "rsv`") if isinstance(ask, ListReservations) else ("alc_", "alc`")
    start = ask.cursor or first
    budget = ask.budget if isinstance(ask, ListAllocations) else None
    args = (start, last, ask.component, ask.component, ask.status, ask.status)
    found: dict[str, Row] = {}
    for place in places(db, ask.cursor or ""):
        rows = place.execute(HOLD + PAGE, args)
        fit = (
            row
            for row in rows
            if (place is db or _still(db, row, ask.status)) and _counted(db, row, budget)
        )
        found = {row[0]: row for row in islice(fit, ask.limit + 1)} | found
    names = sorted(found)
    items = [shown(stored_hold(db, found[name])) for name in names[: ask.limit]]
    return Holds(items, items[-1].id if len(names) > ask.limit else None)


def _still(db: sqlite3.Connection, row: Row, status: str | None) -> bool:
    """Whether a hold in a file is what was asked for, or has become something else since."""
    if status is None:
        return True
    newest = find_row(db, row[0])
    return newest is not None and newest[2] == status


def _counted(db: sqlite3.Connection, row: Row, budget: str | None) -> bool:
    """Whether a policy of the budget counts the hold."""
    if budget is None:
        return True
    opening = row[12] or _opening(db, row[11])
    return db.execute(COUNTED, (budget, opening)).fetchone() is not None


def shown(hold: StoredHold) -> HoldShown:
    body = hold.opened
    is_open = hold.status == "held"
    return HoldShown(
        id=hold.id,
        status=hold.status,
        component=hold.component,
        provider=body["provider"],
        model=body["model"],
        task_type=body["task_type"],
        context_id=body.get("context_id"),
        held=Held(show_usd(hold.usd), hold.tokens, hold.calls) if is_open else NONE,
        spent=Held(show_usd(hold.spent_usd), hold.spent_tokens, hold.spent_calls),
        price_version=body["price_version"] or "",
        estimated=body["estimated"],
        expires_at=rfc3339(hold.expires_ms),
        allocation_id=body.get("parent"),
        metadata=body.get("metadata", {}),
    )
