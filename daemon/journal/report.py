"""Reports from the roll-ups: two small look-ups, one sum for each span, never the entries."""

import json
import sqlite3
import time
from collections.abc import Iterable
from decimal import Decimal

from actors.journal.projection import SUMS
from actors.reports import span as times
from actors.reports.groups import Place, StoredFacet, placed
from actors.reports.tally import SumRow, Tallies, Tally, report, tally
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
    "WITH run AS MATERIALIZED (SELECT value ->> 0 AS width_ms, value ->> 1 AS starts_ms, "  # noqa: S608
    "value ->> 2 AS ends_ms, value ->> 3 AS piece FROM json_each(?)) "
    f"SELECT run.piece, r.facet, {', '.join(f'sum(r.{name})' for name in SUMS)} "
    "FROM run CROSS JOIN rollup r ON r.width_ms = run.width_ms "
    "AND r.starts_ms >= run.starts_ms AND r.starts_ms < run.ends_ms "
    "WHERE r.facet IN (SELECT value FROM json_each(?)) GROUP BY run.piece, r.facet"
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
        places = look_up(db, ask)
        found, total = tally(add_up(db, windows, places), places)
        before: tuple[Window, Tallies, Tally] | None = None
        if ask.compare:
            then, all_then = tally(add_up(db, [earlier], places), places)
            before = (earlier, {} if ask.every else then, all_then)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        raise too_long() from None
    finally:
        db.set_progress_handler(None, 0)
        if db.in_transaction:
            db.execute("COMMIT")
    return report(ask, span, windows, found, total, before)


def look_up(db: sqlite3.Connection, ask: ShowReport) -> dict[int, Place]:
    facets = map(StoredFacet._make, db.execute(FACETS, (ask.component, ask.component)))
    budgets = dict(db.execute("SELECT policy, budget FROM membership"))
    savings = {
        version: Decimal(plain) - Decimal(read) for version, plain, read in db.execute(SAVINGS)
    }
    return placed(ask, facets, budgets, savings)


def add_up(db: sqlite3.Connection, windows: list[Window], facets: Iterable[int]) -> list[SumRow]:
    return db.execute(
        ADD_UP, (json.dumps(times.runs(windows)), json.dumps(list(facets)))
    ).fetchall()


def too_long() -> Unavailable:
    return Unavailable(
        f"the report took longer than {WITHIN_S:g} s",
        hint="ask for a shorter span, fewer groups or wider pieces of time",
        outcome="not-applied",
    )
