"""`wrap(OpenAI(), budget)`, `wrap(Anthropic(), budget)`: every call held before, settled after.

What is guarded: chat completions, responses, embeddings and messages, streamed or not. The other
ways to make the same calls (`with_raw_response`, `parse`, `stream`, …) are refused rather than
let through unpaid. Everything else of the client is as it was.
"""

from typing import TypeVar, cast, overload

from tekton_budget.async_client import AsyncBudgetClient
from tekton_budget.client import BudgetClient
from tekton_budget.sdk.guard import AsyncGuard, Guard
from tekton_budget.sdk.proxy import Proxy

C = TypeVar("C")


@overload
def wrap(client: C, budget: BudgetClient) -> C: ...
@overload
def wrap(client: C, budget: AsyncBudgetClient) -> C: ...
def wrap(client: C, budget: BudgetClient | AsyncBudgetClient) -> C:
    """The same client, under the budget. An async client wants an `AsyncBudgetClient`."""
    is_async = type(client).__name__.startswith("Async")
    if is_async != isinstance(budget, AsyncBudgetClient):
        wanted = "AsyncBudgetClient" if is_async else "BudgetClient"
        raise TypeError(f"{type(client).__name__} is wrapped with a {wanted}")
    guard = AsyncGuard(budget) if isinstance(budget, AsyncBudgetClient) else Guard(budget)
    return cast("C", Proxy(client, guard))
