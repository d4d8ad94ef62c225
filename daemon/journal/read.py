"""What is asked of the journal's tables."""

import sqlite3
from typing import Any

from pydantic_core import from_json

from actors.ports import KeptKey
from protocols.journal import BOOKINGS, Entries, EntryShown, ListEntries, StoredHold
from protocols.ledger import Held, Holds, HoldShown, ListAllocations, ListReservations
from protocols.money import show_usd
from protocols.names import entry_id
from protocols.period import rfc3339

FIND_KEY = (
    "SELECT key, fingerprint, refused, answer, at_ms FROM idempotency WHERE key = ? "
    "ORDER BY id LIMIT 1"
)
HOLD = (
    "SELECT h.id, h.component, h.status, h.expires_ms, h.usd, h.tokens, h.calls, e.body, "
    "p.body, h.spent_usd, h.spent_tokens, h.spent_calls, h.late "
    "FROM hold h JOIN entry e ON e.seq = h.opened_seq "
    "LEFT JOIN price p ON p.id = e.body ->> '$.price_version' "
)
LIST_ENTRIES = (
    "SELECT seq, at_ms, kind, component, subject, body, hash "  # noqa: S608  # literal kinds
    "FROM entry WHERE seq {} ? "
    "AND (? IS NULL OR component = ?) AND (? IS NULL OR kind = ?) AND (? IS NULL OR subject = ?) "
    f"AND (NOT ? OR kind IN ({', '.join(repr(kind) for kind in sorted(BOOKINGS))}, 'denied')) "
    "ORDER BY seq {} LIMIT ?"
)
OLDEST, NEWEST = LIST_ENTRIES.format(">", ""), LIST_ENTRIES.format("<", "DESC")
SEQ_MAX = 2**63 - 1


NONE = Held(show_usd(0), 0, 0)


def tokens(db: sqlite3.Connection) -> list[dict[str, Any]]:
    return [from_json(body) for (body,) in db.execute("SELECT body FROM token ORDER BY name")]


def proposals(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every proposal, the oldest first."""
    rows = db.execute("SELECT body FROM proposal ORDER BY body ->> '$.proposed_at', id")
    return [from_json(body) for (body,) in rows]


def find_key(db: sqlite3.Connection, key: bytes) -> KeptKey | None:
    row = db.execute(FIND_KEY, (key,)).fetchone()
    return None if row is None else KeptKey(row[0], row[1], bool(row[2]), row[3], row[4])


def find_hold(db: sqlite3.Connection, name: str) -> StoredHold | None:
    row = db.execute(HOLD + "WHERE h.id = ?", (name,)).fetchone()
    return None if row is None else stored_hold(row)


def open_holds(db: sqlite3.Connection) -> list[StoredHold]:
    return [stored_hold(row) for row in db.execute(HOLD + "WHERE h.status = 'held'")]


def stored_hold(row: tuple[Any, ...]) -> StoredHold:
    return StoredHold(
        id=row[0], component=row[1], status=row[2], expires_ms=row[3],
        usd=row[4], tokens=row[5], calls=row[6], opened=from_json(row[7]),
        price=None if row[8] is None else from_json(row[8]),
        spent_usd=row[9], spent_tokens=row[10], spent_calls=row[11], late=bool(row[12]),
    )  # fmt: skip


def list_entries(db: sqlite3.Connection, ask: ListEntries) -> Entries:
    """A page of the journal, oldest or newest first."""
    rows = db.execute(
        NEWEST if ask.newest else OLDEST,
        (
            int(ask.cursor or (SEQ_MAX if ask.newest else 0)), ask.component, ask.component,
            ask.kind, ask.kind, ask.subject, ask.subject, ask.calls, ask.limit + 1,
        ),
    ).fetchall()  # fmt: skip
    items = [
        EntryShown(
            entry_id(seq), seq, rfc3339(at_ms), kind, component, subject, from_json(body),
            digest.hex(),
        )
        for seq, at_ms, kind, component, subject, body, digest in rows[: ask.limit]
    ]  # fmt: skip
    return Entries(items, str(items[-1].seq) if len(rows) > ask.limit else None)


def list_holds(db: sqlite3.Connection, ask: ListReservations | ListAllocations) -> Holds:
    """A page of reservations or of allocations, oldest first."""
    first, last = ("rsv_", "rsv`") if isinstance(ask, ListReservations) else ("alc_", "alc`")
    rows = db.execute(
        HOLD + "WHERE h.id > ? AND h.id < ? AND (? IS NULL OR h.component = ?) "
        "AND (? IS NULL OR h.status = ?) ORDER BY h.id LIMIT ?",
        (
            ask.cursor or first, last, ask.component, ask.component, ask.status, ask.status,
            ask.limit + 1,
        ),
    ).fetchall()  # fmt: skip
    items = [shown(stored_hold(row)) for row in rows[: ask.limit]]
    return Holds(items, items[-1].id if len(rows) > ask.limit else None)


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
