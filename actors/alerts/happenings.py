"""From an entry to what it means to people: one pure function, the only source of events."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from actors.policy.decide import amount, figure
from protocols.events import Happening, Severity
from protocols.journal import Entry
from protocols.money import show_usd
from protocols.period import FOREVER_MS, rfc3339
from protocols.policy.charge import AXES

NAMES_MAX = 50
"""Models named in one event; `count` tells how many there are."""
GRAVE_SHARE = 0.8
DAY_MS = 86_400_000


def happenings(entry: Entry) -> list[Happening]:
    """Most entries mean nothing to anybody but the books: then the list is empty."""
    crossed = entry.body.get("crossed")
    found = [] if crossed is None else [_crossed(entry, one) for one in crossed]
    tell = _TOLD.get(entry.kind)
    if tell is not None:
        found += tell(entry)
    return found


def _crossed(entry: Entry, one: dict[str, Any]) -> Happening:
    axis, share = AXES.index(one["axis"]), one["threshold"]
    reached = share >= 1
    key = one["key"] or None
    ends_ms = None if one["ends_ms"] == FOREVER_MS else one["ends_ms"]
    level = one["used"] + one["held"]
    whose = one["policy"] + (f" ({key})" if key else "")
    detail = f"{whose} stands at {amount(axis, level)} of {amount(axis, one['limit'])}"
    severity: Severity = "info" if share < GRAVE_SHARE else "warning"
    if reached and one["enforce"] in ("soft", "hard"):
        severity = "critical"
    data = {
        "policy": one["policy"], "budget": one["budget"], "key": key, "axis": one["axis"],
        "threshold": share, "enforce": one["enforce"],
        **{name: figure(axis, one[name]) for name in ("limit", "used", "held")},
        "left": figure(axis, one["limit"] - level),
        "window": {"starts": rfc3339(one["starts_ms"]), "ends": _instant(ends_ms)},
        "caused_by": entry.subject,
    }  # fmt: skip
    name = f"{one['policy']} {one['window']} {one['axis']} {one['at']} {share}"
    kind = "limit.reached" if reached else "threshold.crossed"
    return Happening(kind, severity, one["policy"], detail, data, f"{kind} {name}", ends_ms)


def _denied(entry: Entry) -> list[Happening]:
    body = entry.body
    axis, policy = AXES.index(body["axis"]), body["policy"]
    asked = amount(axis, body[body["axis"]])
    data = {
        **{name: body[name] for name in ("policy", "axis", "limit", "used", "held")},
        "asked": figure(axis, body[body["axis"]]), "key": body.get("key"),
        "resets_at": body.get("resets_at"), "hold": entry.subject,
        **{name: body[name] for name in ("provider", "model", "task_type")},
    }  # fmt: skip
    detail = f"{asked} for {entry.component} and {body['model']} were refused by {policy}"
    whose = policy if not policy.startswith("allocation:") else f"allocation {entry.component}"
    name = f"call.denied {whose} {body.get('key') or ''} {body['axis']} {body.get('resets_at')}"
    ends_ms = _milliseconds(body.get("resets_at"))
    return [Happening("call.denied", "warning", policy, detail, data, name, ends_ms)]


def _booked(entry: Entry) -> list[Happening]:
    """`overrun`, `late`, or usage that took more than its allocation had."""
    body, kind = entry.body, entry.kind
    if kind == "recorded":
        if not body.get("overrun"):
            return []
        kind = "overrun"
    why = "above its hold" if kind == "overrun" else "after its hold had expired"
    detail = f"{entry.component} used {amount(0, body['usd'])} of {body['model']} {why}"
    data = {
        "hold": entry.subject or None, "cost_usd": show_usd(body["usd"]), "tokens": body["tokens"],
        "provider": body["provider"], "model": body["model"],
    }  # fmt: skip
    name = f"settle.{kind} {entry.component} {entry.at_ms // DAY_MS}"
    ends_ms = (entry.at_ms // DAY_MS + 1) * DAY_MS
    about = entry.component
    return [Happening(f"settle.{kind}", "warning", about, detail, data, name, ends_ms)]


def _expired(entry: Entry) -> list[Happening]:
    what = "allocation" if _is_allocation(entry) else "hold"
    detail = f"{what} {entry.subject} of {entry.component} expired unused"
    return [Happening(f"{what}.expired", "info", entry.subject, detail, {"hold": entry.subject})]


def _allocation(entry: Entry) -> list[Happening]:
    """`allocated`, and what becomes of allocations later; a reservation's are left out."""
    if not _is_allocation(entry):
        return []
    body = entry.body
    verb = "opened" if entry.kind == "allocated" else entry.kind
    data: dict[str, Any] = {"allocation_id": entry.subject}
    if verb == "opened":
        data |= {
            "held": {"usd": show_usd(body["usd"]), "tokens": body["tokens"]},
            "context_id": body.get("context_id"), "provider": body["provider"],
            "model": body["model"], "tier": body["tier"], "task_type": body["task_type"],
            "priority": body["priority"], "expires_at": rfc3339(body["expires_ms"]),
        }  # fmt: skip
    elif verb == "extended":
        usd, tokens, _ = body["left"]
        data |= {
            "held": {"usd": show_usd(usd), "tokens": tokens},
            "expires_at": rfc3339(body["expires_ms"]),
        }
    detail = f"{entry.component}'s allocation {entry.subject} was {verb}"
    return [Happening(f"allocation.{verb}", "info", entry.subject, detail, data)]


def _is_allocation(entry: Entry) -> bool:
    return entry.subject.startswith("alc_")


def _policy(entry: Entry) -> list[Happening]:
    body, name = entry.body, entry.subject
    verb = "changed" if entry.kind == "policy_set" else "removed"
    data = {"before": body["before"], "after": body.get("after")}
    data |= {"by": body["by"], "why": body.get("why")}
    detail = f"policy {name} was {verb} by {body['by']}"
    return [Happening(f"policy.{verb}", "info", name, detail, data)]


def _budget(entry: Entry) -> list[Happening]:
    body, name = entry.body, entry.subject
    verb = "changed" if entry.kind == "budget_set" else "removed"
    data = {part: body.get(part) for part in ("before", "after", "by", "why")}
    detail = f"budget {name} was {verb} by {body['by']}"
    return [Happening(f"budget.{verb}", "info", name, detail, data)]


def _price_set(entry: Entry) -> list[Happening]:
    ids = [version["id"] for version in entry.body["versions"]]
    detail = f"the price of {_some(ids)} changed"
    data = {"count": len(ids), "price_versions": ids[:NAMES_MAX]}
    return [Happening("price.changed", "info", entry.subject, detail, data)]


def _price_held(entry: Entry) -> list[Happening]:
    cases = entry.body["cases"]
    names = [case["name"] for case in cases]
    grave = any(case["severity"] == "critical" for case in cases)
    why = f": {cases[0]['detail']}" if len(cases) == 1 else ""
    detail = f"the price of {_some(names)} waits for a person{why}"
    data = {
        "count": len(names),
        "cases": [
            {name: case[name] for name in ("name", "guard", "detail", "severity")}
            for case in cases[:NAMES_MAX]
        ],
    }
    severity: Severity = "critical" if grave else "warning"
    alert = f"price.disputed {entry.subject}"
    return [Happening("price.disputed", severity, entry.subject, detail, data, alert)]


def _price_decided(entry: Entry) -> list[Happening]:
    cases = entry.body["cases"]
    names = [case if isinstance(case, str) else case["name"] for case in cases]
    verb = "cleared" if entry.kind == "price_cleared" else "rejected"
    detail = f"the case of {_some(names)} is {verb}"
    data = {"count": len(names), "cases": names[:NAMES_MAX], "by": entry.body["by"]}
    closes = f"price.disputed {entry.subject}"
    return [Happening(f"price.{verb}", "info", entry.subject, detail, data, closes=closes)]


def _pinned(entry: Entry) -> list[Happening]:
    body = entry.body
    verb = "pinned" if body["pinned"] else "unpinned"
    detail = f"the price of {entry.subject} was {verb}"
    data = {"provider": body["provider"], "model": body["model"]}
    return [Happening(f"price.{verb}", "info", entry.subject, detail, data)]


def _source_held(entry: Entry) -> list[Happening]:
    name = entry.subject
    detail = f"price source {name} is kept aside: {entry.body['why']}"
    data = {"source": name, "why": entry.body["why"]}
    alert = f"source.held {name}"
    return [Happening("source.held", "warning", name, detail, data, alert)]


def _source_taken(entry: Entry) -> list[Happening]:
    name = entry.subject
    data = {"source": name, "models": entry.body["models"]}
    detail = f"a new file of price source {name} is in use"
    return [Happening("source.taken", "info", name, detail, data, closes=f"source.held {name}")]


def _token(entry: Entry) -> list[Happening]:
    """Its streams end with it: they hear of this and look whether they may go on."""
    body, verb = entry.body, entry.kind.removeprefix("token_")
    detail = f"token {entry.subject} was {verb} by {body['by']}"
    data = {"name": entry.subject, "by": body["by"]}
    return [Happening(f"token.{verb}", "info", entry.subject, detail, data)]


def _proposed(entry: Entry) -> list[Happening]:
    body, name = entry.body, entry.subject
    data = {part: body[part] for part in ("operation", "fields", "why", "asked_by")}
    data = {"proposal_id": name, **data}
    if entry.kind == "proposed":
        detail = f"the assistant proposes {body['operation']}: {body['why']}"
        return [Happening("assistant.proposed", "info", name, detail, data)]
    detail = f"proposal {name} is {body['status']} by {body['ended_by']}"
    data |= {"status": body["status"], "by": body["ended_by"]}
    return [Happening("assistant.answered", "info", name, detail, data)]


def _loss(entry: Entry) -> list[Happening]:
    why = entry.body["why"]
    detail = f"the daemon goes on without what the journal has lost: {why}"
    name = "storage.loss journal"
    return [Happening("storage.loss", "critical", "journal", detail, {"why": why}, name)]


def _noticed(entry: Entry) -> list[Happening]:
    """What an actor noticed beside the books says itself what it means."""
    body = entry.body
    return [
        Happening(
            body["type"], body["severity"], entry.subject, body["detail"], body["data"],
            body.get("alert"), body.get("ends_ms"), body.get("closes"),
        )
    ]  # fmt: skip


def _acknowledged(entry: Entry) -> list[Happening]:
    body = entry.body
    detail = f"{body['by']} has seen alert {entry.subject}"
    data = {"alert_id": entry.subject, "by": body["by"], "note": body["note"]}
    return [Happening("alert.acknowledged", "info", entry.subject, detail, data)]


def _resolved(entry: Entry) -> list[Happening]:
    return [
        Happening(
            "alert.resolved", "info", name, f"the window of alert {name} has ended",
            {"alert_id": name},
        )
        for name in entry.body["alerts"]
    ]  # fmt: skip


def _some(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} models"


def _instant(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)


def _milliseconds(stamp: str | None) -> int | None:
    return None if stamp is None else round(datetime.fromisoformat(stamp).timestamp() * 1000)


_TOLD: dict[str, Callable[[Entry], list[Happening]]] = {
    "denied": _denied,
    "overrun": _booked,
    "late": _booked,
    "recorded": _booked,
    "expired": _expired,
    "allocated": _allocation,
    "extended": _allocation,
    "released": _allocation,
    "policy_set": _policy,
    "policy_removed": _policy,
    "budget_set": _budget,
    "budget_removed": _budget,
    "price_set": _price_set,
    "price_held": _price_held,
    "price_cleared": _price_decided,
    "price_rejected": _price_decided,
    "price_pinned": _pinned,
    "source_held": _source_held,
    "source_taken": _source_taken,
    "token_made": _token,
    "token_revoked": _token,
    "proposed": _proposed,
    "proposal_ended": _proposed,
    "loss_accepted": _loss,
    "noticed": _noticed,
    "alert_acknowledged": _acknowledged,
    "alert_resolved": _resolved,
}
