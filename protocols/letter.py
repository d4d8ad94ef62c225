"""Events in the envelope of Tekton's websockets: `{type, topic, payload, timestamp}`.

The payload has the fields Tekton's own pushes were meant to have, and under `event` the CloudEvent
itself. `seq` is ours: it is what `after` takes.
"""

from typing import Any

from pydantic_core import from_json, to_json

from protocols.feed import Frame
from protocols.period import rfc3339

ALERTS, UPDATES = "budget_alerts", "budget_events"
ALLOCATIONS, PRICES = "allocation_updates", "price_updates"
TOPICS = (UPDATES, ALERTS, ALLOCATIONS, PRICES)
SEVERITIES = {"info": "info", "warning": "warning", "critical": "error"}
"""Ours → Tekton's."""


def topics_of(frame: Frame) -> tuple[str, ...]:
    """Where an event is told. What is an alert is told as one and as what happened."""
    kind = frame.event.type.partition(".")[0]
    match kind:
        case "allocation":
            own = ALLOCATIONS
        case "price" | "source":
            own = PRICES
        case "alert":
            return (ALERTS,)
        case _:
            own = UPDATES
    return (own, ALERTS) if frame.about_alert else (own,)


def letter(frame: Frame, topic: str) -> str:
    """Written once for all who read this topic."""
    text = frame.letters.get(topic)
    if text is None:
        text = frame.letters[topic] = _write(frame, topic)
    return text


def envelope(kind: str, topic: str, payload: dict[str, Any], now_ms: int) -> str:
    """A message that is no event: a greeting, an answer, a heartbeat."""
    message = {"type": kind, "topic": topic, "payload": payload, "timestamp": rfc3339(now_ms)}
    return to_json(message).decode()


def _write(frame: Frame, topic: str) -> str:
    event = frame.event
    data = from_json(event.data)
    kind, payload = _PAYLOADS[topic](frame, data)
    head = {
        "type": kind, "topic": topic, "timestamp": rfc3339(event.at_ms), "seq": event.seq,
        "payload": payload,
    }  # fmt: skip
    return to_json(head)[:-2].decode() + f',"event":{frame.json.decode()}}}}}'


def _alert(frame: Frame, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    event = frame.event
    acknowledged = event.type == "alert.acknowledged"
    return "alert", {
        "alert_id": event.alert_id, "budget_id": data.get("budget"),
        "policy_id": data.get("policy"), "severity": SEVERITIES[event.severity],
        "type": event.type, "message": data["detail"], "details": data,
        "timestamp": rfc3339(event.at_ms), "acknowledged": acknowledged,
        "acknowledged_by": data.get("by") if acknowledged else None,
    }  # fmt: skip


def _update(frame: Frame, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kind = "policy_update" if frame.event.type.startswith("policy.") else "budget_update"
    after = data.get("after")
    budget = after.get("budget") if isinstance(after, dict) else data.get("budget")
    if frame.event.type.startswith("budget."):
        budget = frame.event.subject
    return kind, {"budget_id": budget, "summary": data}


def _allocation(_: Frame, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    name = data.get("allocation_id") or data.get("hold")
    return "allocation_update", {"allocation_id": name, "allocation": data}


def _price(frame: Frame, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    told = data.get("price_versions") or data.get("cases") or [frame.event.subject]
    first = told[0]["name"] if isinstance(told[0], dict) else told[0]
    provider, _, model = str(first).partition("@")[0].partition("/")
    return "price_update", {"provider": provider, "model": model, "update": data}


_PAYLOADS = {UPDATES: _update, ALERTS: _alert, ALLOCATIONS: _allocation, PRICES: _price}
