"""A call under way: held before, settled after, whatever happens between.

Leaving the `with` block without having told what was used charges what was held: unknown is
never free. An exception gives the hold back, unless the provider may have worked all the same: a
timeout, or somebody who stopped waiting.
"""

import asyncio
import logging
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tekton_budget import ask
from tekton_budget.ask import Ask
from tekton_budget.errors import BudgetError
from tekton_budget.replies import Booked, Released, Reservation
from tekton_budget.usage import id_of, usage_of

if TYPE_CHECKING:
    from tekton_budget.async_client import AsyncBudgetClient
    from tekton_budget.client import BudgetClient

log = logging.getLogger("tekton_budget")

NOTHING = Booked("dropped", "dropped")
_UNDER_WAY: "set[asyncio.Future[Any]]" = set()
"""Holds that are being ended after whoever waited has gone: the loop alone would forget them."""


def may_have_been_charged(error: BaseException) -> bool:
    """Whether the provider may have worked although the call failed here."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return not isinstance(error, Exception) or any("Timeout" in name for name in names)


class Facts:
    """What is to be sent when the call ends. Shared by both kinds of hold."""

    def __init__(self, asked: Ask[Reservation], reservation: Reservation) -> None:
        self.asked = asked
        self.reservation = reservation
        self.ended = False
        self.drawn = False

    def settle(self, answer: object, *, final: bool) -> Ask[Booked] | None:
        """None when there is nothing to tell anybody."""
        self.ended |= final
        self.drawn |= not final
        usage, name = usage_of(answer), id_of(answer)
        if self.reservation.backed:
            where = self.reservation.reservation_id
            return ask.settle(where, usage, final=final, response_id=name)
        usage = usage or self._as_held()
        if not usage:
            return None
        known = ("component", "provider", "task_type", "context_id", "allocation_id", "tags")
        used = {one: self.asked.fields[one] for one in known if one in self.asked.fields}
        model = self.reservation.model
        return ask.record(model, usage, response_id=name, **used)

    def _as_held(self) -> dict[str, int]:
        """Nobody told what was used and no daemon held anything: what was going to be held."""
        told = {"input": "input_tokens", "output": "max_output_tokens"}
        counts = {kind: self.asked.fields.get(name) for kind, name in told.items()}
        return {kind: count for kind, count in counts.items() if count}

    def gives_back(self, error: BaseException | None) -> bool:
        """Whether leaving now releases the hold instead of charging it."""
        if error is None:
            return self.drawn
        return not may_have_been_charged(error)


class Hold:
    """A held call. `with budget.hold(…) as hold:`, then `hold.settle(answer)`."""

    def __init__(
        self, client: "BudgetClient", asked: Ask[Reservation], reservation: Reservation
    ) -> None:
        self._client = client
        self._facts = Facts(asked, reservation)
        self.reservation = reservation

    def settle(self, answer: object = None) -> Booked:
        """Book what the provider's answer says was used; without one, what was held."""
        booking = self._facts.settle(answer, final=True)
        return NOTHING if booking is None else self._client.ask(booking)

    def draw(self, answer: object) -> Booked:
        """Book a part and keep the rest held."""
        booking = self._facts.settle(answer, final=False)
        return NOTHING if booking is None else self._client.ask(booking)

    def release(self) -> Released:
        """Give it back: the call was not made."""
        self._facts.ended = True
        name = self.reservation.reservation_id
        return self._client.release(name) if name else Released("")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        if self._facts.ended:
            return
        try:
            if self._facts.gives_back(error):
                self.release()
            else:
                self.settle()
        except BudgetError as problem:
            if error is None:
                raise
            log.warning("the hold could not be ended, it expires by itself: %s", problem)


class AsyncHold:
    """As `Hold`, for coroutines: `async with budget.hold(…) as hold:`."""

    def __init__(
        self, client: "AsyncBudgetClient", asked: Ask[Reservation], reservation: Reservation
    ) -> None:
        self._client = client
        self._facts = Facts(asked, reservation)
        self.reservation = reservation

    async def settle(self, answer: object = None) -> Booked:
        """Book what the provider's answer says was used; without one, what was held."""
        booking = self._facts.settle(answer, final=True)
        return NOTHING if booking is None else await self._client.ask(booking)

    async def draw(self, answer: object) -> Booked:
        """Book a part and keep the rest held."""
        booking = self._facts.settle(answer, final=False)
        return NOTHING if booking is None else await self._client.ask(booking)

    async def release(self) -> Released:
        """Give it back: the call was not made."""
        self._facts.ended = True
        name = self.reservation.reservation_id
        return await self._client.release(name) if name else Released("")

    async def end(self, error: BaseException | None) -> None:
        """As leaving the block does. It goes on when whoever waits for it is cancelled."""
        if self._facts.ended:
            return
        how: Any = self.release() if self._facts.gives_back(error) else self.settle()
        ending = asyncio.ensure_future(how)
        _UNDER_WAY.add(ending)
        ending.add_done_callback(_UNDER_WAY.discard)
        try:
            await asyncio.shield(ending)
        except BudgetError as problem:
            if error is None:
                raise
            log.warning("the hold could not be ended, it expires by itself: %s", problem)
