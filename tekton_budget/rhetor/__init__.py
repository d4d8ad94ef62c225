"""Stands in for Rhetor's budget manager: the same names, the daemon behind them.

`from tekton_budget.rhetor import BudgetManager`. Where it differs on purpose from the original,
docs/migrating.md says how and why.
"""

from tekton_budget.rhetor.dollars import BudgetManager
from tekton_budget.rhetor.words import BudgetPeriod, BudgetPolicy

__all__ = ["BudgetManager", "BudgetPeriod", "BudgetPolicy"]
