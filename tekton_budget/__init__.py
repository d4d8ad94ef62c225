"""For callers: hold before a model is called, settle after. The standard library only.

`BudgetClient` for programs that wait, `AsyncBudgetClient` for coroutines, `wrap` for the clients
of OpenAI and Anthropic; `tekton_budget.apollo` and `tekton_budget.rhetor` stand in for the
managers of those names. Each name is imported when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tekton_budget.async_client import AsyncBudgetClient
    from tekton_budget.client import BudgetClient
    from tekton_budget.errors import BudgetError, Denied, Unavailable
    from tekton_budget.sdk import wrap

__all__ = ["AsyncBudgetClient", "BudgetClient", "BudgetError", "Denied", "Unavailable", "wrap"]

_PLACES = {
    "AsyncBudgetClient": "async_client",
    "BudgetClient": "client",
    "BudgetError": "errors",
    "Denied": "errors",
    "Unavailable": "errors",
    "wrap": "sdk",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
