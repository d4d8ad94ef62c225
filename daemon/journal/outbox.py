"""Events, alerts and the places of channels, in the journal's tables."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from pydantic_core import from_json

from actors.alerts.dispatch import Dispatch
from actors.alerts.outbox import News, OpenAlert, OutboxStart
from actors.policy.counter import Mark
from protocols.alerts import Alerts, AlertShown, AlertState, ListAlerts
from protocols.events import Events, ListEvents, Place, ReadEvents, StoredEvent, event
from protocols.period import rfc3339

INSERT_EVENT = "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_ALERT = "INSERT INTO alert (id, name, ends_ms, raised_seq, last_ms) VALUES (?, ?, ?, ?, ?)"
MOVE_ALERT = (
    "UPDATE alert SET count = count + ?, last_ms = iif(? > 0, ?, last_ms), "
    "seen_by = coalesce(?, seen_by), seen_ms = iif(? IS NULL, seen_ms, ?), "
    "note = coalesce(?, note), resolved_ms = iif(?, ?, resolved_ms) WHERE id = ?"
)
NO_PLACE = "DELETE FROM place WHERE name = ?"
KEEP_PLACE = "INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?, ?)"
LIST_EVENTS = (
    "SELECT * FROM outbox WHERE seq > ? AND (? IS NULL OR component IN (?, '')) "
    "AND (? IS NULL OR type GLOB ?) "
)
ONLY_ALERTS = "AND (raised = 1 OR type GLOB 'alert.*') "
ALERT = (
    "SELECT a.id, a.ends_ms, a.count, a.raised_seq, a.last_ms, a.seen_by, a.seen_ms, a.note, "
    "a.resolved_ms, o.at_ms, o.type, o.severity, o.component, o.subject, o.data "
    "FROM alert a JOIN outbox o ON o.seq = a.raised_seq "
)
STATES = {
    "open": "a.resolved_ms IS NULL AND a.seen_by IS NULL",
    "acknowledged": "a.resolved_ms IS NULL AND a.seen_by IS NOT NULL",
    "resolved": "a.resolved_ms IS NOT NULL",
    "all": "1",
}


def announce(db: sqlite3.Connection, news: News, places: Iterable[Place]) -> None:
    """Write what goes out, in the transaction of the entries it is made of."""
    if news.events:
        db.executemany(
            INSERT_EVENT,
            [
                (
                    e.seq, e.entry_seq, e.at_ms, e.type, e.severity, e.component, e.subject,
                    e.alert_id, e.raised, e.data,
                )
                for e in news.events
            ],
        )  # fmt: skip
    for alert in news.raised:
        row = (alert.id, alert.name, alert.ends_ms, alert.seq, alert.at_ms)
        db.execute(INSERT_ALERT, row)
    for one in news.moved:
        seen = (one.by, one.by, one.at_ms, one.note)
        ends = (one.resolved, one.at_ms)
        db.execute(MOVE_ALERT, (one.again, one.again, one.at_ms, *seen, *ends, one.id))
    for place in places:
        at = (place.name, place.seq, place.since_ms, place.attempts, place.error)
        db.execute(*((NO_PLACE, at[:1]) if place.over else (KEEP_PLACE, at)))


def start(db: sqlite3.Connection) -> OutboxStart:
    return OutboxStart(last_seq(db), open_alerts(db))


def last_seq(db: sqlite3.Connection) -> int:
    (seq,) = db.execute("SELECT coalesce(max(seq), 0) FROM outbox").fetchone()
    return int(seq)


def open_alerts(db: sqlite3.Connection) -> list[OpenAlert]:
    rows = db.execute(
        "SELECT a.raised_seq, o.at_ms, a.name, a.ends_ms FROM alert a "
        "JOIN outbox o ON o.seq = a.raised_seq WHERE a.resolved_ms IS NULL ORDER BY a.id"
    )
    return [OpenAlert(*row) for row in rows]


def crossed(db: sqlite3.Connection, window: int) -> frozenset[Mark]:
    """The thresholds that were told of a window."""
    rows = db.execute("SELECT axis, level, millionths FROM crossing WHERE window = ?", (window,))
    return frozenset(rows.fetchall())


def dispatch(db: sqlite3.Connection) -> Dispatch:
    places = [Place(*row) for row in db.execute("SELECT * FROM place")]
    return Dispatch(last_seq(db), open_alerts(db), {place.name: place for place in places})


def list_events(db: sqlite3.Connection, ask: ListEvents) -> Events:
    """A page of the outbox, oldest first."""
    only = ONLY_ALERTS if ask.alerts else ""
    rows = db.execute(
        f"{LIST_EVENTS}{only}ORDER BY seq LIMIT ?",  # literal texts
        (int(ask.cursor or 0), ask.component, ask.component, ask.type, ask.type, ask.limit + 1),
    ).fetchall()
    items = [event(stored(row)) for row in rows[: ask.limit]]
    return Events(items, str(items[-1].seq) if len(rows) > ask.limit else None, last_seq(db))


def read_events(db: sqlite3.Connection, ask: ReadEvents) -> list[StoredEvent]:
    only = ONLY_ALERTS if ask.alerts else ""
    none = (None,) * 4
    rows = db.execute(f"{LIST_EVENTS}{only}ORDER BY seq LIMIT ?", (ask.after, *none, ask.limit))
    return [stored(row) for row in rows]


def stored(row: tuple[Any, ...]) -> StoredEvent:
    seq, entry_seq, at_ms, kind, severity, component, subject, about, raised, data = row
    return StoredEvent(
        seq, entry_seq, at_ms, kind, severity, component, subject, about, bool(raised), data
    )


def list_alerts(db: sqlite3.Connection, ask: ListAlerts) -> Alerts:
    """A page of alerts, the newest first."""
    rows = db.execute(
        f"{ALERT} WHERE {STATES[ask.state]} AND (? IS NULL OR a.id < ?) "
        "AND (? IS NULL OR o.severity = ?) AND (? IS NULL OR o.type GLOB ?) "
        "AND (? IS NULL OR o.subject = ?) AND (? IS NULL OR o.component IN (?, '')) "
        "ORDER BY a.id DESC LIMIT ?",
        (
            ask.cursor, ask.cursor, ask.severity, ask.severity, ask.type, ask.type, ask.subject,
            ask.subject, ask.component, ask.component, ask.limit + 1,
        ),
    ).fetchall()  # fmt: skip
    items = [alert(row) for row in rows[: ask.limit]]
    return Alerts(items, items[-1].alert_id if len(rows) > ask.limit else None)


def find_alert(db: sqlite3.Connection, name: str) -> AlertShown | None:
    row = db.execute(f"{ALERT} WHERE a.id = ?", (name,)).fetchone()
    return None if row is None else alert(row)


def alert(row: tuple[Any, ...]) -> AlertShown:
    name, ends_ms, count, seq, last_ms, by, seen_ms, note, resolved_ms, *first = row
    at_ms, kind, severity, component, subject, data = first
    told = from_json(data)
    state: AlertState = "open" if by is None else "acknowledged"
    return AlertShown(
        alert_id=name, state=state if resolved_ms is None else "resolved", severity=severity,
        type=kind, subject=subject, component=component, detail=told.pop("detail"), data=told,
        count=count, raised_seq=seq, raised_at=rfc3339(at_ms), last_at=rfc3339(last_ms),
        ends_at=instant(ends_ms), acknowledged_by=by, acknowledged_at=instant(seen_ms), note=note,
        resolved_at=instant(resolved_ms),
    )  # fmt: skip


def instant(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)
