"""What waits for one actor: a deque and, while it is empty, one waiter."""

import asyncio  # noqa: TID251
from collections import deque
from threading import get_ident
from typing import Any, cast

import pykka
from pykka._envelope import Envelope

from actors.runtime.future import release
from protocols.message import Call

__all__ = ["Envelope", "Inbox"]


class Inbox:
    """Put from any thread, get on the loop.

    `put` never blocks and never refuses. `bound` is for whoever lets work in from outside: a
    message between actors finishes work that was admitted long ago, and must get through.
    """

    __slots__ = ("_envelopes", "_thread", "_waiter", "bound", "handled")

    def __init__(self, bound: int = 1024) -> None:
        self._envelopes: deque[Envelope[Any]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._thread = 0
        self.bound = bound
        self.handled = 0

    @property
    def depth(self) -> int:
        return len(self._envelopes)

    @property
    def full(self) -> bool:
        return len(self._envelopes) >= self.bound

    def empty(self) -> bool:
        return not self._envelopes

    def put(self, envelope: Envelope[Any], /) -> None:
        self._envelopes.append(envelope)
        if self._waiter is not None:
            self.wake()

    def get(self) -> Envelope[Any]:
        self.handled += 1
        return self._envelopes.popleft()

    def take(self) -> Envelope[Any] | None:
        """The next one, None if nothing waits."""
        if not self._envelopes:
            return None
        self.handled += 1
        return self._envelopes.popleft()

    async def wait(self) -> None:
        """Until something comes, or `wake`.

        The waiter is set before the deque is looked at, `put` does it the other way round: so
        a message from another thread is seen by one of the two.
        """
        self._thread = get_ident()
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        try:
            if not self._envelopes:
                await waiter
        finally:
            self._waiter = None

    def wake(self) -> None:
        waiter = self._waiter
        if waiter is None:
            return
        if get_ident() == self._thread:  # to ask for the running loop costs a system call
            release(waiter)
        else:
            waiter.get_loop().call_soon_threadsafe(release, waiter)

    def drop_calls(self) -> list[Call[Any]]:
        """Take out what rides on a call and give the calls back; pykka's own messages stay."""
        envelopes, self._envelopes = self._envelopes, deque()
        calls: list[Call[Any]] = []
        for envelope in envelopes:
            if is_pykkas(envelope):
                self._envelopes.append(envelope)
            else:
                calls.append(cast("Call[Any]", envelope.reply_to))
        return calls


def is_pykkas(envelope: Envelope[Any]) -> bool:
    """Tell what pykka's `tell`, `ask`, `stop` and proxies sent from what rides on a call."""
    return envelope.reply_to is None or isinstance(envelope.reply_to, pykka.Future)
