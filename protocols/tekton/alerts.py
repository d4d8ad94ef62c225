"""Alerts in Tekton's words: three severities, acknowledged or not."""

from typing import Any, Literal

from pydantic import Field

from protocols.alerts import AlertShown
from protocols.names import PolicyName
from protocols.tekton.speaker import Speaker
from protocols.tekton.spoken import Paged, page

Severity = Literal["info", "warning", "error"]
OURS = {"info": "info", "warning": "warning", "error": "critical"}
TEKTONS = {ours: tektons for tektons, ours in OURS.items()}


class ListAlerts(Paged):
    budget_id: PolicyName | None = None
    severity: Severity | None = None
    type: str | None = Field(default=None, description="one of our own types of events")
    acknowledged: bool | None = None


class CheckAlerts(Paged):
    """Alerts raise themselves: what is open now is the answer."""

    budget_id: PolicyName | None = None
    period: str | None = Field(default=None, description="each alert has its own window")


async def listed(speaker: Speaker, asked: ListAlerts) -> object:
    """The newest first."""
    state = {None: "all", True: "acknowledged", False: "open"}[asked.acknowledged]
    severity = None if asked.severity is None else OURS[asked.severity]
    found = await speaker.every("list_alerts", state=state, severity=severity, type=asked.type)
    if asked.budget_id is not None:
        found = [one for one in found if one.data.get("budget") == asked.budget_id]
    return page([shown(one) for one in found], asked.page, asked.limit)


async def check(speaker: Speaker, asked: CheckAlerts) -> object:
    wanted = ListAlerts(budget_id=asked.budget_id, acknowledged=False)
    return await listed(speaker, wanted)


def shown(alert: AlertShown) -> dict[str, Any]:
    return {
        "alert_id": alert.alert_id,
        "budget_id": alert.data.get("budget"),
        "policy_id": alert.data.get("policy"),
        "severity": TEKTONS[alert.severity],
        "type": alert.type,
        "message": alert.detail,
        "details": alert.data,
        "timestamp": alert.raised_at,
        "acknowledged": alert.acknowledged_at is not None,
        "acknowledged_by": alert.acknowledged_by,
        "acknowledged_at": alert.acknowledged_at,
    }
