"""Events: what happened, numbered without a gap, for everyone who should know.

Each is a CloudEvent (1.0, JSON). Its number is its place in the outbox: whoever was away asks for
what comes `after` the last one seen.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic_core import from_json

from protocols.message import Request
from protocols.names import Component
from protocols.period import rfc3339

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")

SOURCE = "urn:tekton:budget"
TYPE_PREFIX = "dev.tekton.budget."
TYPE_SUFFIX = ".v1"

EventType = Annotated[
    str,
    Field(
        pattern=r"^[a-z]+(\.[a-z]+)?(\.\*)?$",
        max_length=64,
        description="such as call.denied, or price.* for all of a kind",
    ),
]
Seq = Annotated[int, Field(ge=0, le=2**62)]


@dataclass(slots=True)
class Happening:
    """What an entry means to people, before it has a number.

    `alert` names what it is a sign of: while an alert of that name is open, another sign of it
    raises no second one. `closes` names alerts that it ends.
    """

    type: str
    severity: Severity
    subject: str
    detail: str
    data: dict[str, Any] = field(default_factory=dict)
    alert: str | None = None
    ends_ms: int | None = None
    """When the window ends that the alert is about; None for one that only a person ends."""
    closes: str | None = None


@dataclass(slots=True)
class StoredEvent:
    """A line of the outbox."""

    seq: int
    entry_seq: int
    at_ms: int
    type: str
    severity: Severity
    component: str
    subject: str
    alert_id: str | None
    raised: bool
    """Whether it is the first sign of its alert."""
    data: str
    """JSON, `detail` and `entry_id` among it."""


class ReadEvents(Request[list[StoredEvent]]):
    """For streams and channels: what comes after a place in the outbox."""

    after: int
    limit: int
    alerts: bool = False


@dataclass(slots=True)
class Event:
    """A CloudEvent; `seq`, `severity`, `component`, `alertid` and `raised` are extensions."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    seq: Annotated[int, Field(description="its place in the outbox; resume with after=seq")]
    severity: Severity
    component: Annotated[str, Field(description="who spent; empty for the whole house")]
    alertid: Annotated[str | None, Field(description="the alert it is a sign of, if any")]
    raised: Annotated[bool, Field(description="whether it is the first sign of its alert")]
    data: dict[str, Any]


@dataclass(slots=True)
class Events:
    """One page, oldest first. `last_seq` is the newest there is."""

    items: list[Event]
    next_cursor: str | None = None
    last_seq: int = 0


class ListEvents(Request[Events]):
    """What happened, oldest first, from the outbox: the same events as the live stream has."""

    component: Component | None = None
    type: EventType | None = None
    alerts: bool = Field(default=False, description="only what raised, acknowledged or ended one")
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: Annotated[str, Field(pattern="^[0-9]{1,18}$")] | None = Field(
        default=None, description="the sequence number after which to begin"
    )


@dataclass(slots=True)
class Place:
    """How far a channel has delivered, and what its next event meets."""

    name: str
    seq: int
    """Up to here everything is delivered, given up, or none of this channel's business."""
    since_ms: int | None = None
    """When the next event first failed; None when it did not."""
    attempts: int = 0
    error: str | None = None
    over: bool = False
    """Nobody needs to remember it any more."""


def event_id(seq: int) -> str:
    return f"evt_{seq:016d}"


def event(stored: StoredEvent) -> Event:
    """A line of the outbox as everybody reads it."""
    return Event(
        specversion="1.0", id=event_id(stored.seq), source=SOURCE, type=full_type(stored.type),
        subject=stored.subject, time=rfc3339(stored.at_ms), datacontenttype="application/json",
        seq=stored.seq, severity=stored.severity, component=stored.component,
        alertid=stored.alert_id, raised=stored.raised, data=from_json(stored.data),
    )  # fmt: skip


def full_type(short: str) -> str:
    """`call.denied` as CloudEvents names it."""
    return f"{TYPE_PREFIX}{short}{TYPE_SUFFIX}"
