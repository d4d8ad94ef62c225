"""What is asked of the table of imported rows."""

import sqlite3

from daemon.journal.archive.walk import entries_at
from daemon.journal.prices import booking
from protocols.imports import (
    FindImported,
    FindImportRows,
    ImportRows,
    Imports,
    ImportShown,
    Known,
    ListImports,
)
from protocols.money import show_usd
from protocols.period import rfc3339

FIND = "SELECT usd, tokens FROM imported WHERE key = ?"
ROWS = "SELECT seq FROM imported WHERE import = ? ORDER BY seq LIMIT ?"
COUNT = "SELECT count(*) FROM imported WHERE import = ?"
LIST = (
    "SELECT import, count(*), sum(usd), sum(tokens), min(at_ms), max(at_ms) FROM imported "
    "WHERE import > ? GROUP BY import ORDER BY import LIMIT ?"
)


def find(db: sqlite3.Connection, ask: FindImported) -> dict[str, Known]:
    found = ((key, db.execute(FIND, (key,)).fetchone()) for key in ask.keys)
    return {key: Known(*row) for key, row in found if row is not None}


def rows(db: sqlite3.Connection, ask: FindImportRows) -> ImportRows:
    wanted = [seq for (seq,) in db.execute(ROWS, (ask.import_id, ask.limit))]
    found = [booking(*row[:6]) for row in entries_at(db, wanted)]
    (there,) = db.execute(COUNT, (ask.import_id,)).fetchone()
    return ImportRows(found, there - len(found))


def list_imports(db: sqlite3.Connection, ask: ListImports) -> Imports:
    found = db.execute(LIST, (ask.cursor or "", ask.limit + 1)).fetchall()
    items = [
        ImportShown(name, count, show_usd(usd), tokens, rfc3339(first), rfc3339(last))
        for name, count, usd, tokens, first, last in found[: ask.limit]
    ]
    return Imports(items, items[-1].import_id if len(found) > ask.limit else None)
