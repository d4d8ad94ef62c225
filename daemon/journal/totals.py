"""Everything ever booked, by provider and model: for metrics."""

import sqlite3

from actors.journal.projection import SUMS
from actors.totals import ModelTotals
from protocols.period import DAY_MS

TOTALS = (
    f"SELECT f.provider, f.model, {', '.join(f'sum(r.{name})' for name in SUMS)} "  # noqa: S608
    "FROM rollup r JOIN facet f ON f.id = r.facet WHERE r.width_ms = ? "
    "GROUP BY f.provider, f.model ORDER BY sum(r.usd) DESC, sum(r.calls) DESC"
)


def totals(db: sqlite3.Connection) -> list[ModelTotals]:
    """The dearest first."""
    rows = db.execute(TOTALS, (DAY_MS,))
    return [ModelTotals(row[0], row[1], dict(zip(SUMS, row[2:], strict=True))) for row in rows]
