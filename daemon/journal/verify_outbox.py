"""The outbox against the entries: every event that must be there, once, in order, none beside."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress

from actors.alerts.outbox import News, Outbox, OutboxStart
from protocols.events import StoredEvent
from protocols.journal import Entry

Told = tuple[int, int, str, str, str | None, int]
"""Sequence number, entry, type, component, alert, whether it raised it."""


class OutboxTruth:
    """The outbox and its alerts as the entries say they must be."""

    def __init__(self, db: sqlite3.Connection) -> None:
        (self.begins,) = db.execute("SELECT max(entry_seq) FROM outbox_begins").fetchone()
        self.outbox = Outbox(OutboxStart())
        self.news = News()

    def add(self, entry: Entry) -> None:
        if entry.seq > self.begins:
            with suppress(KeyError, ValueError, TypeError):  # one that nobody can read is said so
                self.outbox.take(entry, self.news)

    def compare(self, db: sqlite3.Connection, say: Callable[[str], None]) -> None:
        rows = db.execute(
            "SELECT seq, entry_seq, type, component, alert_id, raised FROM outbox ORDER BY seq"
        ).fetchall()
        told = [_told(event) for event in self.news.events]
        if told != rows:
            for mine, found in _unlike(told, rows):
                say(f"outbox: entries tell {mine}, the table has {found}")
        self._compare_alerts(db, say)

    def _compare_alerts(self, db: sqlite3.Connection, say: Callable[[str], None]) -> None:
        alerts = {alert.id: [alert.name, alert.ends_ms, 1, None] for alert in self.news.raised}
        for moved in self.news.moved:
            if moved.id in alerts:
                alerts[moved.id][2] += moved.again  # type: ignore[operator]
                if moved.resolved:
                    alerts[moved.id][3] = moved.at_ms
        rows = db.execute("SELECT id, name, ends_ms, count, resolved_ms FROM alert")
        found = {row[0]: list(row[1:]) for row in rows}
        for name in alerts.keys() | found.keys():
            if alerts.get(name) != found.get(name):
                say(f"alert {name}: entries tell {alerts.get(name)}, not {found.get(name)}")


def _told(event: StoredEvent) -> Told:
    return (
        event.seq, event.entry_seq, event.type, event.component, event.alert_id, int(event.raised)
    )  # fmt: skip


def _unlike(told: list[Told], rows: list[Told]) -> Iterator[tuple[Told | None, Told | None]]:
    for place in range(max(len(told), len(rows))):
        mine = told[place] if place < len(told) else None
        found = rows[place] if place < len(rows) else None
        if mine != found:
            yield mine, found
