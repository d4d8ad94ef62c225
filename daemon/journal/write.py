"""One batch, one transaction: entries, roll-ups, windows, holds, keys."""

import sqlite3
from collections.abc import Sequence

from pydantic_core import to_json

from actors.journal.facts import Fact
from actors.journal.projection import Changes, HoldMoved
from actors.ports import Batch
from daemon.journal.holds import bring_back
from daemon.journal.outbox import announce
from daemon.journal.rollups import Facets, add_up
from protocols.debug import log_function

INSERT_ENTRY = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)"
ADD_WINDOW = "UPDATE window SET usd = usd + ?, tokens = tokens + ?, calls = calls + ? WHERE id = ?"
INSERT_HOLD = (
    "INSERT INTO hold (id, component, status, expires_ms, usd, tokens, calls, opened_seq) "
    "VALUES (?, ?, 'held', ?, ?, ?, ?, ?)"
)
MOVE_HOLD = (
    "UPDATE hold SET status = coalesce(?, status), expires_ms = coalesce(?, expires_ms), "
    "usd = coalesce(?, usd), tokens = coalesce(?, tokens), calls = coalesce(?, calls), "
    "spent_usd = spent_usd + ?, spent_tokens = spent_tokens + ?, spent_calls = spent_calls + ?, "
    "late = late | ? WHERE id = ?"
)
INSERT_KEY = (
    "INSERT INTO idempotency (key, fingerprint, refused, answer, at_ms) VALUES (?, ?, ?, ?, ?)"
)
FACTS = {
    "window": "INSERT INTO window (id, policy, counting, key, starts_ms, ends_ms) "
    "VALUES (?, ?, ?, ?, ?, ?)",
    "ledger": "INSERT INTO ledger VALUES (?, ?)",
    "price": "INSERT OR IGNORE INTO price VALUES (?, ?)",
    "seed": "INSERT OR REPLACE INTO seed VALUES (?, ?)",
    "membership": "INSERT OR REPLACE INTO membership VALUES (?, ?)",
    "budget": "INSERT OR REPLACE INTO budget VALUES (?, ?)",
    "policy": "INSERT OR REPLACE INTO policy VALUES (?, ?, ?, ?, ?, ?)",
    "price_known": "INSERT INTO price_known VALUES (?, ?, ?)",
    "price_note": "INSERT OR REPLACE INTO price_note VALUES (?, ?)",
    "token": "INSERT OR REPLACE INTO token VALUES (?, ?)",
    "proposal": "INSERT OR REPLACE INTO proposal VALUES (?, ?)",
    "provisional": "INSERT INTO provisional VALUES (?, ?, ?, ?)",
    "imported": "INSERT INTO imported VALUES (?, ?, ?, ?, ?, ?)",
    "crossing": "INSERT OR IGNORE INTO crossing VALUES (?, ?, ?, ?, ?)",
    "archive": "INSERT OR REPLACE INTO archive VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
}
REMOVALS = {
    "policy": "DELETE FROM policy WHERE name = ?",
    "budget": "DELETE FROM budget WHERE name = ?",
    "token": "DELETE FROM token WHERE name = ?",
    "price_note": "DELETE FROM price_note WHERE name = ?",
    "imported": "DELETE FROM imported WHERE key = ?",
    "provisional": "DELETE FROM provisional WHERE seq = ?",
}
PURGE_KEYS = (
    "DELETE FROM idempotency WHERE id IN (SELECT id FROM "
    "(SELECT id, at_ms FROM idempotency ORDER BY id LIMIT ?) WHERE at_ms < ?)"
)
"""Of the oldest few: they are in order of time, so nobody looks at those that stay."""


@log_function()
def write(db: sqlite3.Connection, batch: Batch, facets: Facets) -> None:
    """All or nothing; durable when it returns."""
    db.execute("BEGIN IMMEDIATE")
    try:
        db.executemany(
            INSERT_ENTRY,
            [
                (e.seq, e.at_ms, e.kind, e.component, e.subject, e.text, e.hash)
                for e in batch.entries
            ],
        )
        apply(db, batch.changes, facets)
        announce(db, batch.news, batch.places)
        if batch.keys:
            db.executemany(
                INSERT_KEY,
                [(k.key, k.fingerprint, k.refused, k.answer, k.at_ms) for k in batch.keys],
            )
        db.execute("COMMIT")
    except BaseException:
        facets.forget()
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def apply(db: sqlite3.Connection, changes: Changes, facets: Facets) -> None:
    """Add what the entries change to the tables."""
    for fact in changes.facts:
        put(db, fact)
    if changes.opened:
        db.executemany(
            INSERT_HOLD,
            [
                (h.id, h.component, h.expires_ms, h.usd, h.tokens, h.calls, h.seq)
                for h in changes.opened
            ],
        )
    if changes.moved:
        move(db, changes.moved)
    if changes.windows:
        db.executemany(ADD_WINDOW, [(*used, number) for number, used in changes.windows.items()])
    if changes.rollups:
        add_up(db, facets, changes.rollups.items())


def move(db: sqlite3.Connection, moved: Sequence[HoldMoved]) -> None:
    """Holds of archived months, too: they come back, and count for more than their copies."""
    found = db.executemany(
        MOVE_HOLD,
        [
            (
                h.status, h.expires_ms, *(h.left or (None, None, None)),
                h.spent_usd, h.spent_tokens, h.spent_calls, h.late, h.id,
            )
            for h in moved
        ],
    )  # fmt: skip
    if found.rowcount < len(moved):
        back = bring_back(db, {one.id for one in moved})
        if back:
            move(db, [one for one in moved if one.id in back])


def put(db: sqlite3.Connection, fact: Fact) -> None:
    if fact.row is None:
        db.execute(REMOVALS[fact.table], (fact.key,))
        return
    values = [to_json(v).decode() if isinstance(v, dict) else v for v in fact.row]
    db.execute(FACTS[fact.table], values)
