"""The routes of Tekton's vocabulary, for the table's list and the OpenAPI document."""

from typing import Final

ROUTES: Final = (
    ("GET", "/budgets/{budget_id}", 200, "Tekton: one budget"),
    ("PUT", "/budgets/{budget_id}", 200, "Tekton: change a budget's owner or description"),
    ("GET", "/budgets/{budget_id}/policies", 200, "Tekton: a budget's policies"),
    ("GET", "/budgets/{budget_id}/allocations", 200, "Tekton: allocations a budget counts"),
    ("GET", "/budgets/{budget_id}/summary", 200, "Tekton: spent and limit of a period"),
    ("PUT", "/policies/{name}", 200, "Tekton: change a policy"),
    ("GET", "/allocations/context/{context_id}", 200, "Tekton: a context's open allocations"),
    ("POST", "/usage/record", 201, "Tekton: book a call's usage"),
    ("GET", "/usage/records", 200, "Tekton: calls, the newest first"),
    ("GET", "/usage/records/{record_id}", 200, "Tekton: one call"),
    ("POST", "/usage/summary", 200, "Tekton: sums of a period, by four parts of a call"),
    ("POST", "/alerts/check", 200, "Tekton: the alerts that are open"),
    ("POST", "/prices/current", 200, "Tekton: what a token of a model costs"),
    ("GET", "/prices/history/{provider}/{model}", 200, "Tekton: what it has cost"),
    ("POST", "/prices/recommendations", 200, "Tekton: cheaper models for a call"),
)
"""Method, path below the prefix, status, and what it is."""
