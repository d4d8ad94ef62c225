"""Stands in for Apollo's token budgets: the same names, the daemon behind them.

`from tekton_budget.apollo import TokenBudgetManager`. Where it differs on purpose from the
original, docs/migrating.md says how and why.
"""

from tekton_budget.apollo.models import (
    BudgetAllocation,
    BudgetPeriod,
    BudgetPolicy,
    BudgetPolicyType,
    BudgetSummary,
    BudgetTier,
    BudgetUsageRecord,
    TaskPriority,
)
from tekton_budget.apollo.tiers import DEFAULT_ALLOCATIONS, DEFAULT_LIMITS
from tekton_budget.apollo.tokens import TokenBudgetManager

__all__ = [
    "DEFAULT_ALLOCATIONS",
    "DEFAULT_LIMITS",
    "BudgetAllocation",
    "BudgetPeriod",
    "BudgetPolicy",
    "BudgetPolicyType",
    "BudgetSummary",
    "BudgetTier",
    "BudgetUsageRecord",
    "TaskPriority",
    "TokenBudgetManager",
]
