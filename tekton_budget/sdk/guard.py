"""Around one call of an SDK: hold, call, settle."""

import functools
from collections.abc import Callable
from typing import Any

from tekton_budget.async_client import AsyncBudgetClient
from tekton_budget.client import BudgetClient
from tekton_budget.sdk.call import asks_for_usage, wanted
from tekton_budget.sdk.end import settle, settle_async
from tekton_budget.sdk.stream import AsyncStream, Stream


class Guard:
    def __init__(self, budget: BudgetClient) -> None:
        self._budget = budget

    def __call__(self, path: tuple[str, ...], create: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(create)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            hide = asks_for_usage(kwargs, path)
            hold = self._budget.hold(kwargs.get("model") or "unknown", **wanted(kwargs, path))
            try:
                answer = create(*args, **kwargs)
            except BaseException as error:
                hold.__exit__(type(error), error, error.__traceback__)
                raise
            if kwargs.get("stream"):
                return Stream(answer, hold, hide_usage=hide)
            settle(hold, answer)
            return answer

        return guarded


class AsyncGuard:
    def __init__(self, budget: AsyncBudgetClient) -> None:
        self._budget = budget

    def __call__(self, path: tuple[str, ...], create: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(create)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            hide = asks_for_usage(kwargs, path)
            model = kwargs.get("model") or "unknown"
            hold = await self._budget.begin(model, **wanted(kwargs, path))
            try:
                answer = await create(*args, **kwargs)
            except BaseException as error:
                await hold.end(error)
                raise
            if kwargs.get("stream"):
                return AsyncStream(answer, hold, hide_usage=hide)
            await settle_async(hold, answer)
            return answer

        return guarded
