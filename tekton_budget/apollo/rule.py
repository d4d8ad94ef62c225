"""Apollo's policy as a policy of the daemon: pure, the same for the drop-in and the import."""

from tekton_budget.apollo.models import BudgetPolicy, BudgetPolicyType, TaskPriority
from tekton_budget.details import Rule
from tekton_budget.names import name_of
from tekton_budget.policy import Made

BUDGET = "apollo"
PREFIX = "apollo:"
TIER = "apollo.tier"
"""The tag of what goes through Apollo: its tier, by Apollo's own tables."""
ENFORCE = {
    BudgetPolicyType.IGNORE.value: "ignore",
    BudgetPolicyType.WARN.value: "warn",
    BudgetPolicyType.SOFT_LIMIT.value: "soft",
    BudgetPolicyType.HARD_LIMIT.value: "hard",
}
WITHOUT_END = 10**15
"""How far a critical task may pass a hard limit: as Apollo says, without end."""


def name_in_daemon(policy: BudgetPolicy) -> str:
    return name_of(PREFIX + policy.policy_id)


def rule_of(policy: BudgetPolicy, zone: str) -> Made:
    """Raises ValueError for a threshold or a limit that makes no sense."""
    if policy.limit < 0:
        raise ValueError(f"BudgetPolicy.limit: must be 0 or more, not {policy.limit}")
    levels = sorted({policy.warning_threshold, policy.action_threshold})
    if not all(0 < level <= 1 for level in levels):
        raise ValueError(f"BudgetPolicy thresholds must be above 0 and at most 1, not {levels}")
    match: dict[str, object] = {"tags": {TIER: policy.tier}}
    for name in ("component", "task_type"):
        if value := getattr(policy, name):
            match[name] = name_of(value)
    rule: Rule = {
        "budget": BUDGET, "match": match, "zone": zone, "warn_at": levels,
        "enforce": ENFORCE[policy.type], "unpriced": "envelope",
    }  # fmt: skip
    if policy.type == BudgetPolicyType.HARD_LIMIT.value:
        rule["override"] = {"priority": int(TaskPriority.CRITICAL), "tokens": WITHOUT_END}
    return Made(name_in_daemon(policy), {"tokens": policy.limit}, policy.period, rule)
