"""`@budget.track(model)`: a function whose every call is held before and settled after.

What it returns must say what was used, as a provider's response does; else it costs the hold.
"""

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from tekton_budget.details import Wanted

if TYPE_CHECKING:
    from tekton_budget.async_client import AsyncBudgetClient
    from tekton_budget.client import BudgetClient

P = ParamSpec("P")
R = TypeVar("R")


def tracked(
    client: "BudgetClient", model: str, call: Wanted
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    def around(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def held(*args: P.args, **kwargs: P.kwargs) -> R:
            with client.hold(model, **call) as hold:
                answer = function(*args, **kwargs)
                hold.settle(answer)
            return answer

        return held

    return around


def tracked_async(
    client: "AsyncBudgetClient", model: str, call: Wanted
) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
    def around(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        @functools.wraps(function)
        async def held(*args: P.args, **kwargs: P.kwargs) -> R:
            async with client.hold(model, **call) as hold:
                answer = await function(*args, **kwargs)
                await hold.settle(answer)
            return answer

        return held

    return around
