"""Where actors live: one event loop, one task group, stopped last in, first out."""

import asyncio  # noqa: TID251
import logging
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import anyio
import pykka

from actors.runtime.future import running_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from actors.runtime.actor import LoopActor

log = logging.getLogger("budget.actor")


class ActorLoop:
    """`async with ActorLoop():` and actors can start, from any thread.

    On the way out every actor is stopped, the last started first. What was in its inbox is
    handled before; what takes longer than `grace_s` in all is cancelled.
    """

    _current: ClassVar["ActorLoop | None"] = None

    def __init__(self, grace_s: float = 10.0) -> None:
        self.grace_s = grace_s
        self.on_death: Callable[[pykka.ActorRef[Any], BaseException], None] | None = None
        self._actors: dict[LoopActor, None] = {}
        self._unfinished: dict[anyio.Event, None] = {}
        self._tasks = anyio.create_task_group()

    @classmethod
    def current(cls) -> "ActorLoop":
        if cls._current is None:
            raise RuntimeError("no actor can start here: use `async with ActorLoop():`")
        return cls._current

    def start(self, actor: "LoopActor") -> None:
        if running_loop() is self._loop:
            self._begin(actor)
        else:
            asyncio.run_coroutine_threadsafe(self._adopt(actor), self._loop)

    def spawn(self, work: "Callable[..., Coroutine[Any, Any, None]]", *args: object) -> None:
        """Run what an actor must not wait for. It is finished before the loop ends.

        If it fails, everything here does; `LoopActor.spawn` takes only its actor along.
        """
        done = anyio.Event()
        self._unfinished[done] = None
        self._tasks.start_soon(self._work, done, work, args)

    def report(self, ref: pykka.ActorRef[Any], error: BaseException) -> None:
        """Tell whoever supervises that an actor died of an exception."""
        if self.on_death is not None:
            self.on_death(ref, error)

    async def __aenter__(self) -> Self:
        if ActorLoop._current is not None:
            raise RuntimeError("there is an ActorLoop already; one in a process")
        self._loop = asyncio.get_running_loop()
        await self._tasks.__aenter__()
        ActorLoop._current = self
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        try:
            with anyio.move_on_after(self.grace_s, shield=True) as grace:
                await self._stop_all()
        finally:
            ActorLoop._current = None
        if grace.cancelled_caught:
            log.warning(
                "cancelled, for they did not stop in time: %s, and %d tasks",
                ", ".join(map(str, self._actors)) or "no actors",
                len(self._unfinished),
            )
            self._tasks.cancel_scope.cancel()
        return await self._tasks.__aexit__(kind, error, traceback)

    def _begin(self, actor: "LoopActor") -> None:
        self._actors[actor] = None
        self._tasks.start_soon(self._run, actor, name=str(actor))

    async def _adopt(self, actor: "LoopActor") -> None:
        """Begin from a task: anyio knows its loop only in one."""
        self._begin(actor)

    async def _run(self, actor: "LoopActor") -> None:
        try:
            await actor.live()
        finally:
            self._actors.pop(actor, None)

    async def _work(
        self,
        done: anyio.Event,
        work: "Callable[..., Coroutine[Any, Any, None]]",
        args: tuple[object, ...],
    ) -> None:
        try:
            await work(*args)
        finally:
            del self._unfinished[done]
            done.set()

    async def _stop_all(self) -> None:
        while self._actors:
            actor = next(reversed(self._actors))
            await actor.actor_ref.stop(block=False)
            self._actors.pop(actor, None)
        while self._unfinished:
            await next(iter(self._unfinished)).wait()
