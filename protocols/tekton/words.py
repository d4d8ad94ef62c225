"""Tekton's vocabulary: its routes beside ours, and its bodies at routes that bear both our names.

Where ours and Tekton's have one route, what our operation does not understand is read as Tekton's,
if every name in it is one of Tekton's and not all are ours.
"""

from typing import Final

from protocols.tekton import alerts, allocations, budgets, policies, prices, usage
from protocols.tekton.speaker import Word

WORDS: Final = (
    Word("GET", "/budgets/{budget_id}", budgets.ShowBudget, budgets.show),
    Word("PUT", "/budgets/{budget_id}", budgets.UpdateBudget, budgets.update),
    Word("GET", "/budgets/{budget_id}/policies", budgets.ListBudgetPolicies,
         budgets.list_policies),
    Word("GET", "/budgets/{budget_id}/allocations", allocations.ListBudgetAllocations,
         allocations.of_budget),
    Word("GET", "/budgets/{budget_id}/summary", budgets.Summarise, budgets.summary),
    Word("PUT", "/policies/{name}", policies.UpdatePolicy, policies.update),
    Word("GET", "/allocations/context/{context_id}", allocations.ShowContext,
         allocations.of_context),
    Word("POST", "/usage/record", usage.RecordUsage, usage.record, 201),
    Word("GET", "/usage/records", usage.ListRecords, usage.list_records),
    Word("GET", "/usage/records/{record_id}", usage.ShowRecord, usage.show_record),
    Word("POST", "/usage/summary", usage.Summarise, usage.summary),
    Word("POST", "/alerts/check", alerts.CheckAlerts, alerts.check),
    Word("POST", "/prices/current", prices.Current, prices.current),
    Word("GET", "/prices/history/{provider}/{model:.+}", prices.Current, prices.history),
    Word("POST", "/prices/recommendations", prices.Recommend, prices.recommend),
)  # fmt: skip

TWINS: Final = {
    "set_budget": Word("POST", "/budgets", budgets.CreateBudget, budgets.create, 201),
    "set_policy": Word("POST", "/policies", policies.CreatePolicy, policies.create, 201),
    "allocate": Word("POST", "/allocations", allocations.CreateAllocation, allocations.create, 201),
    "list_alerts": Word("GET", "/alerts", alerts.ListAlerts, alerts.listed),
    "list_budgets": Word("GET", "/budgets", budgets.ListBudgets, budgets.listed),
    "list_policies": Word("GET", "/policies", policies.ListPolicies, policies.listed),
}
"""By the operation of ours at the same route."""
