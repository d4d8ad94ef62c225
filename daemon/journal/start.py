"""What the actors are rebuilt from: tables and open holds, never the whole history."""

import sqlite3

from pydantic_core import from_json

from actors.policy.counter import Mark
from actors.policy.state import EngineState, StoredCharge, StoredPolicy, StoredWindow
from actors.ports import Start
from daemon.journal import outbox
from daemon.journal.holds import open_holds
from protocols.journal import StoredHold
from protocols.period import Window
from protocols.policy.charge import Amounts, Covers
from protocols.policy.policy import Policy

WINDOW = (
    "SELECT id, policy, counting, key, starts_ms, ends_ms, usd, tokens, calls, "
    "EXISTS (SELECT 1 FROM crossing WHERE window = window.id) FROM window"
)
NONE: frozenset[Mark] = frozenset()
KEYS_MAX = 200_000
"""About 20 MB; beyond, each new key is looked up."""


def load(db: sqlite3.Connection) -> Start:
    """Read in one transaction, so that all of it is of the same moment."""
    db.execute("BEGIN")
    try:
        return _load(db)
    finally:
        db.execute("COMMIT")


def _load(db: sqlite3.Connection) -> Start:
    start = Start()
    last = db.execute("SELECT seq, at_ms, hash FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
    if last is not None:
        start.seq, start.at_ms, start.hash = last
    start.ledgers = dict(db.execute("SELECT number, component FROM ledger"))
    start.priced = {row[0] for row in db.execute("SELECT id FROM price")}
    start.keys = keys(db)
    start.outbox = outbox.start(db)
    open_now = open_holds(db)
    for hold in open_now:
        start.holds.setdefault(hold.component, []).append(hold)
    start.engine = engine_state(db, open_now, start.at_ms)
    return start


def keys(db: sqlite3.Connection) -> frozenset[bytes] | None:
    rows = db.execute("SELECT key FROM idempotency LIMIT ?", (KEYS_MAX + 1,)).fetchall()
    return None if len(rows) > KEYS_MAX else frozenset(row[0] for row in rows)


def engine_state(db: sqlite3.Connection, open_now: list[StoredHold], at_ms: int) -> EngineState:
    charges = [charge(hold) for hold in open_now]
    needed = {number for one in charges for number in (*one.windows, *one.parent_windows)}
    rows = db.execute(f"{WINDOW} WHERE ends_ms > ?", (at_ms,)).fetchall()
    found = {row[0] for row in rows}
    for number in needed - found:
        rows += db.execute(f"{WINDOW} WHERE id = ?", (number,)).fetchall()
    return EngineState(
        policies=[
            StoredPolicy(Policy.model_validate_json(body), *rest)
            for _, body, *rest in db.execute("SELECT * FROM policy ORDER BY name")
        ],
        budgets={name: from_json(body) for name, body in db.execute("SELECT * FROM budget")},
        seeds=dict(db.execute("SELECT name, digest FROM seed")),
        windows=[
            StoredWindow(
                row[0],
                row[1],
                row[2],
                row[3],
                Window(*row[4:6]),
                Amounts(*row[6:9]),
                outbox.crossed(db, row[0]) if row[9] else NONE,
            )
            for row in rows
        ],
        charges=charges,
        next_window=next_number(db),
    )


def next_number(db: sqlite3.Connection) -> int:
    """Windows and ways of counting are numbered together, a window after what it counts."""
    (used,) = db.execute(
        "SELECT max((SELECT coalesce(max(id), 0) FROM window), "
        "(SELECT coalesce(max(counting), 0) FROM policy))"
    ).fetchone()
    return int(used) + 1


def charge(hold: StoredHold) -> StoredCharge:
    body = hold.opened
    covered = body.get("covered", [False, False, False])
    covers: Covers | None = None
    if "covers" in body:
        covers = (body["covers"][0], body["covers"][1], body["covers"][2])
    return StoredCharge(
        hold.id,
        hold.component,
        tuple(body["windows"]),
        body.get("parent"),
        tuple(body.get("parent_windows", ())),
        (covered[0], covered[1], covered[2]),
        covers,
        Amounts(hold.usd, hold.tokens, hold.calls),
        hold.expires_ms,
    )
