"""Apollo's data directory: its policies, and the usage it wrote when it was stopped."""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from daemon.imports.plan import Plan, Refused, instant, key_of, name, tokens
from tekton_budget.apollo.models import BudgetPolicy
from tekton_budget.apollo.rule import rule_of

POLICIES = "budget_policies.json"
RECORDS = "usage_records_*.json"
RECORD = (
    "record_id", "allocation_id", "context_id", "component", "provider", "model", "task_type",
    "tokens_used", "usage_type", "timestamp", "operation_id",
)  # fmt: skip


class NotApollo(Exception):
    """The directory has nothing of Apollo."""


def read(directory: Path, zone: str) -> Plan:
    """All of it as a plan. Raises `NotApollo`."""
    plan = Plan("apollo", directory.resolve(), zone)
    policies, records = directory / POLICIES, sorted(directory.glob(RECORDS))
    if not policies.is_file() and not records:
        raise NotApollo(f"{directory} has neither {POLICIES} nor {RECORDS}")
    if policies.is_file():
        for number, row in _rows(policies, plan):
            _policy(number, row, plan)
    for path in records:
        for number, row in _rows(path, plan):
            try:
                plan.add(_record(path, number, row, plan))
            except Refused as refused:
                plan.refuse(f"{path.name} record {number}", refused)
    plan.notes.append("Apollo keeps no money: its tokens come in at $0.00")
    return plan


def _rows(path: Path, plan: Plan) -> list[tuple[int, dict[str, Any]]]:
    """Each with its number. A file that was cut off in writing is refused as a whole."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        plan.refuse(path.name, Refused("file", f"cannot be read: {problem}"))
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        plan.refuse(path.name, Refused("file", "is no list of objects"))
        return []
    return list(enumerate(rows, 1))


def _policy(number: int, row: dict[str, Any], plan: Plan) -> None:
    place = f"{POLICIES} policy {number}"
    try:
        policy = BudgetPolicy.model_validate(row)
        made = rule_of(policy, plan.zone)
    except (TypeError, ValueError) as problem:
        field, _, what = str(problem).removeprefix("BudgetPolicy.").partition(": ")
        plan.refuse(place, Refused(field, what))
        return
    if policy.in_force:
        plan.policies.append(made)
    else:
        plan.notes.append(f"{place} is disabled or out of its dates: no policy for it")


def _record(path: Path, number: int, row: dict[str, Any], plan: Plan) -> dict[str, Any]:
    used = tokens("tokens_used", row.get("tokens_used"))
    output = row.get("usage_type") == "output"
    return {
        "key": key_of("apollo.usage", *(row.get(part) for part in RECORD)),
        "at": instant("timestamp", row.get("timestamp"), ZoneInfo(plan.zone)),
        "component": name(row.get("component")),
        "provider": name(row.get("provider")),
        "model": name(row.get("model")),
        "task_type": name(row.get("task_type")),
        "input_tokens": 0 if output else used,
        "output_tokens": used if output else 0,
        "usd": "0",
        "origin": {
            "program": "apollo", "file": str(path.resolve()), "record": number,
            "record_id": str(row.get("record_id")), "usage_type": str(row.get("usage_type")),
            "timestamp": str(row.get("timestamp")), "zone": plan.zone,
        },
    }  # fmt: skip
