"""The live end of the outbox, as doors see it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from pydantic_core import to_json

from protocols.events import SOURCE, StoredEvent, event_id, full_type
from protocols.period import rfc3339


@dataclass(slots=True)
class Frame:
    """One event, written out once for all who read it."""

    event: StoredEvent
    about_alert: bool
    """Whether it raises, acknowledges or ends an alert."""
    json: bytes
    """As a CloudEvent."""
    letters: dict[str, str] = field(default_factory=dict)
    """As Tekton's websockets have it, by topic."""

    @property
    def seq(self) -> int:
        return self.event.seq


class Feed(Protocol):
    """Readers take turns, so that a thousand of them never hold up who decides."""

    told: list[Callable[[], None]]
    """Each is called at once when something has come; it must be quick."""

    @property
    def head(self) -> int:
        """The newest event's number."""
        ...

    def since(self, seq: int) -> list[Frame] | None:
        """What came after; None when that is no longer in memory."""
        ...

    async def turn(self, seq: int) -> None:
        """Wait until there is something after `seq`, and until it is this reader's turn."""
        ...


def frame(event: StoredEvent) -> Frame:
    """Write a line of the outbox out as a CloudEvent."""
    head = to_json(
        {
            "specversion": "1.0", "id": event_id(event.seq), "source": SOURCE,
            "type": full_type(event.type), "subject": event.subject, "time": rfc3339(event.at_ms),
            "datacontenttype": "application/json", "seq": event.seq, "severity": event.severity,
            "component": event.component, "alertid": event.alert_id, "raised": event.raised,
        }
    )  # fmt: skip
    json = head[:-1] + b',"data":' + event.data.encode() + b"}"
    about_alert = event.raised or event.type.startswith("alert.")
    return Frame(event, about_alert, json)
