"""The unanswered request that travels with the work, in its kinds."""

import contextlib
import logging
import queue
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import pykka

from protocols.errors import BudgetError
from protocols.message import DAEMON, Caller, Done

if TYPE_CHECKING:
    import asyncio  # noqa: TID251

log = logging.getLogger("budget.actor")


class PendingCall:
    """A call that somebody on the loop waits for: `await call.reply`."""

    __slots__ = ("caller", "due", "reply", "to")

    def __init__(self, caller: Caller, to: str, due: float, reply: "asyncio.Future[Any]") -> None:
        self.caller = caller
        self.to = to
        self.due = due
        self.reply = reply

    def answer(self, reply: object) -> None:
        if not self.reply.done():
            self.reply.set_result(reply)

    def refuse(self, error: BudgetError) -> None:
        if not self.reply.done():
            self.reply.set_exception(error)


class HandedCall:
    """A call whose answer is handed on at once: no future and no task of its own.

    `leave` says whether this is the first answer, and forgets the call.
    """

    __slots__ = ("_done", "_leave", "caller", "due", "to")

    def __init__(
        self, caller: Caller, to: str, due: float, done: Done, leave: "Callable[[HandedCall], bool]"
    ) -> None:
        self.caller = caller
        self.to = to
        self.due = due
        self._done = done
        self._leave = leave

    def answer(self, reply: object) -> None:
        if self._leave(self):
            self._done(reply)

    def refuse(self, error: BudgetError) -> None:
        if self._leave(self):
            self._done(error)


class Nobody:
    """A call that nobody waits for: what actors tell each other."""

    __slots__ = ("caller",)

    def __init__(self) -> None:
        self.caller = DAEMON

    def answer(self, reply: object) -> None: ...

    def refuse(self, error: BudgetError) -> None:
        log.debug("nobody hears the refusal: %s", error)


NOBODY = Nobody()


class PykkaCall:
    """A call that came by pykka's own `ask`; its future has the reply."""

    __slots__ = ("caller", "future")

    def __init__(self, future: pykka.Future[Any]) -> None:
        self.caller = DAEMON
        self.future = future

    def answer(self, reply: object) -> None:
        with contextlib.suppress(queue.Full):
            self.future.set(reply)

    def refuse(self, error: BudgetError) -> None:
        with contextlib.suppress(queue.Full):
            self.future.set_exception((type(error), error, error.__traceback__))


class Awaited:
    """A call that an actor's own task waits for: `await call.reply()`."""

    __slots__ = ("_done", "_error", "_reply", "caller")

    def __init__(self, caller: Caller = DAEMON) -> None:
        self.caller = caller
        self._done = anyio.Event()
        self._reply: Any = None
        self._error: BudgetError | None = None

    def answer(self, reply: object) -> None:
        self._reply = reply
        self._done.set()

    def refuse(self, error: BudgetError) -> None:
        self._error = error
        self._done.set()

    async def reply(self) -> Any:
        """Raises the refusal."""
        await self._done.wait()
        if self._error is not None:
            raise self._error
        return self._reply
