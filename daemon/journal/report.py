"""Reports from the roll-ups: two small look-ups, one sum for each span, never the entries."""

import json
import sqlite3
import time
from decimal import Decimal

from actors.journal.projection import SUMS
from actors.reports import span as times
from actors.reports.groups import Pick, Place, StoredFacet, pick
from actors.reports.tally import SumRow, Tallies, Tally, overlaps, report, tally, whole
from protocols.errors import Unavailable
from protocols.period import Window
from protocols.reports import ShowReport, SpendReport

FACETS = (
    "SELECT id, component, provider, model, tier, task_type, price_version, tags, policies "
    "FROM facet WHERE ? IS NULL OR component = ?"
)
SAVINGS = (
    "SELECT id, body ->> '$.rates.input', body ->> '$.rates.cache_read' FROM price "
    "WHERE body ->> '$.rates.cache_read' IS NOT NULL AND id NOT LIKE 'envelope/%'"
)
ADD_UP = (
    "WITH slot AS MATERIALIZED (SELECT value ->> 0 AS width_ms, value ->> 1 AS starts_ms, "  # noqa: S608
    "value ->> 2 AS piece FROM json_each(?)), "
    "pick AS MATERIALIZED (SELECT value ->> 0 AS facet, value ->> 1 AS place FROM json_each(?)) "
    f"SELECT slot.piece, pick.place, {', '.join(f'sum(r.{name})' for name in SUMS)} "
    "FROM slot CROSS JOIN rollup r ON r.width_ms = slot.width_ms AND r.starts_ms = slot.starts_ms "
    "CROSS JOIN pick ON pick.facet = r.facet GROUP BY slot.piece, pick.place"
)
WITHIN_S = 5.0
STEPS = 20_000
"""SQLite's instructions between two looks at the clock."""


def show_report(db: sqlite3.Connection, ask: ShowReport, now_ms: int) -> SpendReport:
    """All of it from one moment of the journal. Raises `Unavailable` when it takes too long."""
    span, earlier = times.spans(ask, now_ms)
    windows = times.pieces(span, ask.every, ask.zone)
    deadline = time.monotonic() + WITHIN_S
    db.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
    db.execute("BEGIN")
    try:
        picks, places = picked(db, ask)
        rows = add_up(db, windows, picks)
        found, total = tally(rows, places), total_of(db, ask, span, rows, places)
        before: tuple[Window, Tallies, Tally] | None = None
        if ask.compare:
            past = add_up(db, [earlier], picks)
            then = tally(past, places) if ask.every is None else {}
            before = (earlier, then, total_of(db, ask, earlier, past, places))
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        raise too_long() from None
    finally:
        db.set_progress_handler(None, 0)
        if db.in_transaction:
            db.execute("COMMIT")
    return report(ask, span, windows, found, total, before)


def picked(db: sqlite3.Connection, ask: ShowReport) -> tuple[list[Pick], list[Place]]:
    facets = map(StoredFacet._make, db.execute(FACETS, (ask.component, ask.component)))
    budgets = dict(db.execute("SELECT policy, budget FROM membership"))
    savings = {
        version: Decimal(plain) - Decimal(read) for version, plain, read in db.execute(SAVINGS)
    }
    return pick(ask, facets, budgets, savings)


def add_up(db: sqlite3.Connection, windows: list[Window], picks: list[Pick]) -> list[SumRow]:
    return db.execute(ADD_UP, (json.dumps(times.slots(windows)), json.dumps(picks))).fetchall()


def total_of(
    db: sqlite3.Connection, ask: ShowReport, span: Window, rows: list[SumRow], places: list[Place]
) -> Tally:
    """Each call once, also where its row is several groups'."""
    if overlaps(ask):
        picks, places = picked(db, ask.model_copy(update={"group_by": ()}))
        rows = add_up(db, [span], picks)
    return whole(rows, places)


def too_long() -> Unavailable:
    return Unavailable(
        f"the report took longer than {WITHIN_S:g} s",
        hint="ask for a shorter span, fewer groups or wider pieces of time",
        outcome="not-applied",
    )
