"""An event loop that owns time and order: the same seed, the same run, to the last step.

Nothing is waited for: when nobody has anything to do, the clock jumps to the next timer. Whatever
is ready at the same moment runs in an order that the seed decides.
"""

import asyncio  # noqa: TID251  # the loop itself
import selectors
from collections import deque
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import anyio


class Still(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Nothing comes from outside; waiting is what makes time pass."""

    loop: "SimLoop"

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits for somebody, and nothing will ever happen")
        self.loop.now += timeout
        return []


class SimLoop(asyncio.SelectorEventLoop):
    """Give it a `Random` of its own."""

    def __init__(self, random: Random) -> None:
        self.now = 0.0
        self._order = random
        still = Still()
        still.loop = self
        super().__init__(still)

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        ready: deque[Any] = self._ready  # type: ignore[attr-defined]
        if len(ready) > 1:
            handles = list(ready)
            self._order.shuffle(handles)
            ready.clear()
            ready.extend(handles)
        super()._run_once()  # type: ignore[misc]


def simulate(random: Random, work: Callable[[], Awaitable[Any]]) -> Any:
    return anyio.run(work, backend_options={"loop_factory": lambda: SimLoop(random)})


class SimClock:
    """The `Clock` port on the loop's time; the wall clock can be set, the other cannot."""

    def __init__(self, wall_ms: int) -> None:
        self.wall_ms = wall_ms

    def now_ms(self) -> int:
        return self.wall_ms + round(self.monotonic() * 1000)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()
