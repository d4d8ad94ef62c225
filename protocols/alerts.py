"""Alerts: what somebody should look at, once, until it is over."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from protocols.events import EventType, Severity
from protocols.message import Request
from protocols.names import Component

AlertState = Literal["open", "acknowledged", "resolved"]
AlertId = Annotated[str, Field(pattern=r"^alr_[0-9]{16}$")]


@dataclass(slots=True)
class AlertShown:
    """One alert. `count` says how often it was seen since it was raised."""

    alert_id: str
    state: AlertState
    severity: Severity
    type: str
    subject: str
    component: str
    detail: str
    data: Annotated[dict[str, Any], Field(description="what its first event says")]
    count: int
    raised_seq: Annotated[int, Field(description="the event that raised it")]
    raised_at: str
    last_at: str
    ends_at: Annotated[str | None, Field(description="when its window ends, and it with it")]
    acknowledged_by: str | None = None
    acknowledged_at: str | None = None
    note: str | None = None
    resolved_at: str | None = None


@dataclass(slots=True)
class Alerts:
    items: list[AlertShown]
    next_cursor: str | None = None


class ListAlerts(Request[Alerts]):
    """Alerts, the newest first: what is open, unless another state is asked for."""

    state: Literal["open", "acknowledged", "resolved", "all"] = "open"
    severity: Severity | None = Field(default=None, description="only this severity")
    type: EventType | None = None
    subject: Annotated[str, Field(max_length=256)] | None = Field(
        default=None, description="a policy, a component, a price source"
    )
    component: Component | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: Annotated[str, Field(pattern=r"^alr_[0-9]{16}$")] | None = None


class ShowAlert(Request[AlertShown]):
    """One alert by its id."""

    alert_id: AlertId


class AcknowledgeAlert(Request[AlertShown]):
    """Say that somebody has seen it. One without a window of its own is over with that."""

    alert_id: AlertId
    note: Annotated[str, Field(max_length=500)] | None = None


def alert_id(seq: int) -> str:
    """The id of the alert that event number `seq` raised."""
    return f"alr_{seq:016d}"
