"""The base of our own actors: answers are given, not returned."""

import abc
from collections.abc import Coroutine
from typing import Any

import pykka
from pykka.messages import ProxyCall, ProxyGetAttr, ProxySetAttr

from actors.runtime.actor import DEFERRED, LoopActor
from actors.runtime.call import NOBODY, PykkaCall
from actors.runtime.inbox import Envelope
from actors.runtime.overhear import overhear
from protocols.debug import debug_log
from protocols.errors import BudgetError, Unavailable
from protocols.message import Call


class ServiceActor(LoopActor):
    """Hears each message with its call, in `receive`; whoever finishes answers the call.

    A `BudgetError` from `receive` refuses the call and the actor lives on. Any other exception
    is a crash: the call is refused with `outcome: unknown`, the actor dies, its supervisor hears
    of it. pykka's own tell, ask, stop and proxies work beside this.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self._asked: pykka.Future[Any] | None = None

    @abc.abstractmethod
    def receive(self, message: Any, call: Call[Any]) -> None:
        """Handle one message, synchronously: nobody awaits inside a handler."""

    def on_receive(self, message: Any) -> object:
        self._hear(message, as_call(self._asked))
        return DEFERRED

    def _deliver(self, envelope: Envelope[Any]) -> Coroutine[Any, Any, None] | None:
        call: Any = envelope.reply_to
        if call is None or isinstance(call, pykka.Future):
            self._asked = call
            return super()._deliver(envelope)
        self._hear(envelope.message, call)
        return None

    def _hear(self, message: Any, call: Call[Any]) -> None:
        if debug_log.enabled:
            call = overhear(self.name, message, call)
        try:
            self.receive(message, call)
        except BudgetError as refusal:
            call.refuse(refusal)

    async def _fail(self, envelope: Envelope[Any], error: Exception) -> None:
        """Be stricter than pykka: a state that was left half-way is not to be trusted."""
        if isinstance(envelope.message, ProxyCall | ProxyGetAttr | ProxySetAttr):
            await super()._fail(envelope, error)
            return
        self._leave_unanswered(envelope)
        await self._die(error)

    def _leave_unanswered(self, envelope: Envelope[Any]) -> None:
        call = as_call(envelope.reply_to)
        call.refuse(Unavailable(f"{self.name} failed over this request", outcome="unknown"))

    def _actor_loop_teardown(self) -> None:
        for call in self.actor_inbox.drop_calls():
            call.refuse(
                Unavailable(f"{self.name} stopped before its turn came", outcome="not-applied")
            )
        super()._actor_loop_teardown()


def as_call(reply_to: Any) -> Call[Any]:
    if reply_to is None:
        return NOBODY
    return PykkaCall(reply_to) if isinstance(reply_to, pykka.Future) else reply_to
