"""The outbox: events numbered without a gap, and the alerts they are signs of.

The journal keeps one and takes each entry through it as it writes; `budget verify` takes all
entries through another and compares.
"""

from dataclasses import dataclass, field

from pydantic_core import to_json

from actors.alerts.happenings import happenings
from protocols.alerts import alert_id
from protocols.events import Happening, StoredEvent
from protocols.journal import Entry
from protocols.names import entry_id


@dataclass(slots=True)
class OpenAlert:
    """One that a further sign of it would only repeat."""

    seq: int
    """The event that raised it."""
    at_ms: int
    name: str
    ends_ms: int | None

    @property
    def id(self) -> str:
        return alert_id(self.seq)


@dataclass(slots=True)
class AlertMoved:
    """What an event does to an alert that is there."""

    id: str
    at_ms: int
    again: int = 0
    """How many more signs of it."""
    by: str | None = None
    note: str | None = None
    resolved: bool = False


@dataclass(slots=True)
class News:
    """Of one batch of entries: what goes out, and what it does to alerts, in order."""

    events: list[StoredEvent] = field(default_factory=list)
    raised: list[OpenAlert] = field(default_factory=list)
    moved: list[AlertMoved] = field(default_factory=list)


@dataclass(slots=True)
class OutboxStart:
    """Where it goes on."""

    seq: int = 0
    open: list[OpenAlert] = field(default_factory=list)


class Outbox:
    """Knows the last number, and by name the alerts that are open."""

    def __init__(self, start: OutboxStart) -> None:
        self.seq = start.seq
        self._by_name = {alert.name: alert for alert in start.open}
        self._by_id = {alert.id: alert for alert in start.open}

    def take(self, entry: Entry, news: News) -> None:
        """Add what this entry tells. Most tell nothing."""
        for told in happenings(entry):
            self._number(entry, told, news)
            ended = None if told.closes is None else self._by_name.get(told.closes)
            if ended is not None:
                about = {"alert_id": ended.id}
                end = Happening("alert.resolved", "info", ended.id, told.detail, about)
                self._number(entry, end, news)

    def _number(self, entry: Entry, told: Happening, news: News) -> None:
        self.seq += 1
        about, raised = self._alert(entry, told, news)
        data = {"detail": told.detail, **told.data, "entry_id": entry_id(entry.seq)}
        news.events.append(
            StoredEvent(
                self.seq, entry.seq, entry.at_ms, told.type, told.severity, entry.component,
                told.subject, about, raised, to_json(data).decode(),
            )
        )  # fmt: skip

    def _alert(self, entry: Entry, told: Happening, news: News) -> tuple[str | None, bool]:
        """The alert this is about, and whether it is its first sign."""
        if told.type == "alert.resolved":
            self._close(self._by_id.get(told.subject), entry, news)
            return told.subject, False
        if told.type == "alert.acknowledged":
            self._seen(told.subject, entry, news)
            return told.subject, False
        if told.alert is None:
            return None, False
        alert = self._by_name.get(told.alert)
        if alert is not None:
            news.moved.append(AlertMoved(alert.id, entry.at_ms, again=1))
            return alert.id, False
        alert = OpenAlert(self.seq, entry.at_ms, told.alert, told.ends_ms)
        self._by_name[alert.name] = self._by_id[alert.id] = alert
        news.raised.append(alert)
        return alert.id, True

    def _seen(self, name: str, entry: Entry, news: News) -> None:
        """A person has seen it; one that nothing else ends is over with that."""
        body = entry.body
        news.moved.append(AlertMoved(name, entry.at_ms, by=body["by"], note=body["note"]))
        alert = self._by_id.get(name)
        if alert is not None and alert.ends_ms is None:
            self._close(alert, entry, news)

    def _close(self, alert: OpenAlert | None, entry: Entry, news: News) -> None:
        if alert is None:
            return
        del self._by_name[alert.name], self._by_id[alert.id]
        news.moved.append(AlertMoved(alert.id, entry.at_ms, resolved=True))
