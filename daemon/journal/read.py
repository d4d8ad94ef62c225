"""What is asked of the journal's tables."""

import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from actors.ports import KeptKey
from daemon.journal.archive.walk import SEQ_MAX, parts, parts_back, standing_still
from protocols.journal import BOOKINGS, Entries, EntryShown, FoldKeys, ListEntries
from protocols.names import entry_id
from protocols.period import rfc3339

FIND_KEY = (
    "SELECT key, fingerprint, refused, answer, at_ms FROM idempotency WHERE key = ? "
    "ORDER BY id LIMIT 1"
)
LIST_ENTRIES = (
    "SELECT seq, at_ms, kind, component, subject, body, hash "  # noqa: S608  # literal kinds
    "FROM entry WHERE seq BETWEEN ? AND ? "
    "AND (? IS NULL OR component = ?) AND (? IS NULL OR kind = ?) AND (? IS NULL OR subject = ?) "
    f"AND (NOT ? OR kind IN ({', '.join(repr(kind) for kind in sorted(BOOKINGS))}, 'denied')) "
    "ORDER BY seq {} LIMIT ?"
)
OLDEST, NEWEST = LIST_ENTRIES.format(""), LIST_ENTRIES.format("DESC")


KEYS_AT_ONCE = 1_000


def tokens(db: sqlite3.Connection) -> list[dict[str, Any]]:
    return [from_json(body) for (body,) in db.execute("SELECT body FROM token ORDER BY name")]


def proposals(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every proposal, the oldest first."""
    rows = db.execute("SELECT body FROM proposal ORDER BY body ->> '$.proposed_at', id")
    return [from_json(body) for (body,) in rows]


def find_key(db: sqlite3.Connection, key: bytes) -> KeptKey | None:
    row = db.execute(FIND_KEY, (key,)).fetchone()
    return None if row is None else KeptKey(row[0], row[1], bool(row[2]), row[3], row[4])


def fold_keys(db: sqlite3.Connection, ask: FoldKeys) -> None:
    """From their index, so that no answer is read with them; callers are served meanwhile."""
    rows = db.execute("SELECT key FROM idempotency")
    ask.take(key for few in iter(lambda: rows.fetchmany(KEYS_AT_ONCE), []) for key in rested(few))


def rested(rows: list[tuple[bytes]]) -> Iterator[bytes]:
    began = time.monotonic()
    yield from (key for (key,) in rows)
    time.sleep(time.monotonic() - began)


def list_entries(db: sqlite3.Connection, ask: ListEntries) -> Entries:
    """A page of the journal, oldest or newest first, across the borders of archived months."""
    fits = (ask.component, ask.component, ask.kind, ask.kind, ask.subject, ask.subject, ask.calls)
    if ask.newest:
        query, found = NEWEST, parts_back(db, int(ask.cursor or SEQ_MAX) - 1)
    else:
        query, found = OLDEST, parts(db, int(ask.cursor or 0) + 1)
    rows: list[tuple[Any, ...]] = []
    with standing_still(db):
        for part in found:
            wanted = ask.limit + 1 - len(rows)
            rows += part.db.execute(query, (part.first, part.last, *fits, wanted)).fetchall()
            if len(rows) > ask.limit:
                break
    items = [
        EntryShown(
            entry_id(seq), seq, rfc3339(at_ms), kind, component, subject, from_json(body),
            digest.hex(),
        )
        for seq, at_ms, kind, component, subject, body, digest in rows[: ask.limit]
    ]  # fmt: skip
    return Entries(items, str(items[-1].seq) if len(rows) > ask.limit else None)
