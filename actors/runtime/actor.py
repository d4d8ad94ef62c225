"""A pykka actor that is a task on the loop."""

import asyncio  # noqa: TID251
import logging
from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from types import CoroutineType, TracebackType
from typing import Any, Final

import pykka
from anyio.lowlevel import checkpoint
from pykka import ActorRef, ActorRegistry

from actors.runtime.future import ExcInfo, LoopFuture
from actors.runtime.inbox import Envelope, Inbox
from actors.runtime.loop import ActorLoop

log = logging.getLogger("pykka")

Ref = ActorRef[Any]
"""How an actor is reached; dead after a restart."""

DEFERRED: Final = object()
"""What a handler returns when somebody answers later."""

TURN: Final = 128
"""So many messages, then everybody else on the loop has a turn."""


class LoopActor(pykka.Actor):
    """Like `pykka.ThreadingActor`, but on the loop; handlers and hooks may be `async def`."""

    actor_inbox: Inbox

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._owed: list[Coroutine[Any, Any, None]] = []

    @staticmethod
    def _create_actor_inbox() -> Inbox:
        return Inbox()

    @staticmethod
    def _create_future() -> LoopFuture[Any]:
        return LoopFuture()

    def _start_actor_loop(self) -> None:
        try:
            self._home = ActorLoop.current()
        except RuntimeError:
            ActorRegistry.unregister(self.actor_ref)
            raise
        self._home.start(self)

    def spawn(self, work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        """Do something slow beside the inbox; if it fails, so does the actor.

        Its result comes back as a message: only a handler touches the actor's state.
        """
        self._home.spawn(self._work, work, args)

    async def live(self) -> None:
        """Run pykka's `_actor_loop`: its own setup and teardown around our receive loop."""
        self._let_hooks_be_async()
        try:
            self._actor_loop_setup()
            await self._pay()
            await self._receive_loop()
        except asyncio.CancelledError:
            ActorRegistry.unregister(self.actor_ref)
            self.actor_stopped.set()
            raise
        finally:
            self._actor_loop_teardown()

    async def _receive_loop(self) -> None:
        inbox, stopped = self.actor_inbox, self.actor_stopped
        while not stopped.is_set():
            envelope = inbox.take()
            if envelope is None:
                await inbox.wait()
                continue
            try:
                rest = self._deliver(envelope)
                if rest is not None:
                    await rest
            except asyncio.CancelledError:
                self._leave_unanswered(envelope)
                raise
            except Exception as error:  # noqa: BLE001
                await self._fail(envelope, error)
            except BaseException as error:  # noqa: BLE001
                await self._stop_everything(envelope, error)
            if not inbox.handled % TURN:
                await checkpoint()

    def _deliver(self, envelope: Envelope[Any]) -> Coroutine[Any, Any, None] | None:
        """Handle one message; what is left to await, if anything, is returned."""
        reply = self._handle_receive(envelope.message)
        if self._owed or isinstance(reply, CoroutineType):
            return self._finish(envelope, reply)
        if envelope.reply_to is not None and reply is not DEFERRED:
            envelope.reply_to.set(reply)
        return None

    async def _finish(self, envelope: Envelope[Any], reply: Any) -> None:
        if isinstance(reply, CoroutineType):
            reply = await reply
        await self._pay()
        if envelope.reply_to is not None and reply is not DEFERRED:
            envelope.reply_to.set(reply)

    async def _fail(self, envelope: Envelope[Any], error: Exception) -> None:
        """Keep pykka's rule: who asked gets the exception; one nobody asked for is fatal."""
        if envelope.reply_to is None:
            await self._die(error)
        else:
            log.info("Exception returned from %s to caller:", self, exc_info=error)
            envelope.reply_to.set_exception(exc_info(error))

    async def _work(
        self, work: Callable[..., Coroutine[Any, Any, None]], args: tuple[object, ...]
    ) -> None:
        try:
            await work(*args)
        except Exception as error:  # noqa: BLE001
            await self._die(error)

    async def _die(self, error: Exception) -> None:
        self._handle_failure(*exc_info(error))
        self.actor_inbox.wake()
        try:
            rest: Any = self.on_failure(*exc_info(error))  # type: ignore[func-returns-value]
            if isinstance(rest, CoroutineType):
                await rest
        except Exception as worse:  # noqa: BLE001
            self._handle_failure(*exc_info(worse))

    def _handle_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        was_alive = not self.actor_stopped.is_set()
        super()._handle_failure(exception_type, exception_value, traceback)
        if was_alive and exception_value is not None:
            self._home.report(self.actor_ref, exception_value)

    async def _stop_everything(self, envelope: Envelope[Any], error: BaseException) -> None:
        log.debug("%r in %s. Stopping all actors.", error, self)
        self._leave_unanswered(envelope)
        self._stop()
        await self._pay()
        ActorRegistry.stop_all(block=False)
        self._home.report(self.actor_ref, error)

    def _leave_unanswered(self, envelope: Envelope[Any]) -> None:
        if envelope.reply_to is not None:
            dead = pykka.ActorDeadError(f"{self.actor_ref} stopped while handling the message")
            envelope.reply_to.set_exception(exc_info(dead))

    def _let_hooks_be_async(self) -> None:
        """Make pykka, which calls these two and drops what they return, leave us a debt instead."""
        for name in ("on_start", "on_stop"):
            hook = getattr(self, name)
            if iscoroutinefunction(hook):
                setattr(self, name, lambda hook=hook: self._owed.append(hook()))

    async def _pay(self) -> None:
        """Await the hooks that turned out to be async."""
        while self._owed:
            try:
                await self._owed.pop()
            except Exception as error:  # noqa: BLE001
                self._handle_failure(*exc_info(error))


def kill(ref: ActorRef[Any]) -> None:
    """End an actor on this loop at once: no further message is handled and no hook runs.

    The calls in its inbox stay unanswered; refusing them is the killer's duty.
    """
    ActorRegistry.unregister(ref)
    ref.actor_stopped.set()
    inbox = ref.actor_inbox
    assert isinstance(inbox, Inbox)
    inbox.drop_calls()
    inbox.wake()


def exc_info(error: BaseException) -> ExcInfo:
    return type(error), error, error.__traceback__
