"""Apollo's callbacks: who hears of which event. What a callback does wrong is its own affair."""

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger("tekton_budget.apollo")

EVENTS = (
    "on_allocation_created", "on_allocation_updated", "on_allocation_expired",
    "on_budget_exceeded", "on_policy_updated",
)  # fmt: skip


class Events:
    """Plain functions are called, coroutine functions are scheduled on the running loop."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Callable[..., Any]]] = {name: [] for name in EVENTS}
        self._running: set[asyncio.Task[Any]] = set()

    def register(self, event: str, callback: Callable[..., Any]) -> None:
        if event not in self._listeners:
            log.warning("there is no event %r; there are %s", event, ", ".join(EVENTS))
            return
        self._listeners[event].append(callback)

    def heard(self, event: str) -> bool:
        return bool(self._listeners[event])

    def fire(self, event: str, *told: Any) -> None:
        for callback in self._listeners[event]:
            try:
                result = callback(*told)
                if inspect.iscoroutine(result):
                    self._schedule(event, result)
            except Exception:
                log.exception("a callback for %s failed", event)

    def _schedule(self, event: str, result: Any) -> None:
        """Outside a loop it is run to its end: an event is not lost for want of one."""
        try:
            task = asyncio.get_running_loop().create_task(result)
        except RuntimeError:
            asyncio.run(result)
            return
        self._running.add(task)
        task.add_done_callback(lambda done: self._done(event, done))

    def _done(self, event: str, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a callback for %s failed", event, exc_info=error)
