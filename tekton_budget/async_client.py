"""The client for coroutines: the verbs of `BudgetClient`, awaited. On asyncio alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, Unpack

from tekton_budget import ask, track
from tekton_budget.ask import Ask, Ending, More, Report, Rule, Set, Used, Wanted
from tekton_budget.async_wire import AsyncWire
from tekton_budget.errors import BudgetError
from tekton_budget.find import find
from tekton_budget.flow import Away, Conduct, Delivered, Flow, Send
from tekton_budget.hold import AsyncHold
from tekton_budget.replies import (
    Allocation,
    Balance,
    Booked,
    Checked,
    HoldShown,
    PolicyShown,
    Quote,
    Released,
    Reservation,
    SpendReport,
)
from tekton_budget.spool import Spool, default_directory

R = TypeVar("R")
P = ParamSpec("P")


class AsyncBudgetClient:
    """As `BudgetClient`. Many coroutines of one loop may use it at once."""

    def __init__(
        self,
        component: str | None = None,
        *,
        url: str | None = None,
        token: str | None = None,
        data_dir: Path | None = None,
        when_away: Away = "deny",
        queue_dir: Path | None = None,
        timeout_s: float = 10.0,
        tries: int = 3,
    ) -> None:
        self.component = component
        self._wire = AsyncWire(lambda: find(url=url, token=token, data_dir=data_dir), timeout_s)
        self._conduct = Conduct(when_away, Spool(queue_dir or default_directory()), tries)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._wire.close()

    async def _walk(self, flow: Flow[R]) -> R:
        try:
            step = next(flow)
            while True:
                if not isinstance(step, Send):
                    await asyncio.sleep(step.seconds)
                    step = next(flow)
                    continue
                try:
                    document = await self._wire.send(step.ask)
                except BudgetError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(document)
        except StopIteration as end:
            found: R = end.value
            return found

    @property
    def when_away(self) -> Away:
        return self._conduct.away

    async def ask(self, request: Ask[R]) -> R:
        """Anything of `tekton_budget.ask`."""
        return await self._walk(self._conduct.ask(request))

    async def book(self, request: Ask[Booked]) -> Booked:
        """Usage that happened: delivered, or kept until it can be."""
        return await self._walk(self._conduct.book(request))

    async def reserve(
        self, model: str, *, key: str | None = None, **call: Unpack[Wanted]
    ) -> Reservation:
        """Hold the worst case of a call, or raise `Denied`."""
        return await self._reserve(
            ask.with_component(ask.reserve(model, call, key), self.component)
        )

    async def _reserve(self, request: Ask[Reservation]) -> Reservation:
        return await self._walk(self._conduct.reserve(request))

    async def check(self, model: str, **call: Unpack[Wanted]) -> Checked:
        """Would this call be admitted? Holds nothing."""
        return await self.ask(ask.with_component(ask.check(model, call), self.component))

    async def settle(
        self,
        reservation_id: str,
        usage: Mapping[str, Any],
        *,
        key: str | None = None,
        **end: Unpack[Ending],
    ) -> Booked:
        """Book what a held call used. Never refused because of a limit."""
        return await self.book(ask.settle(reservation_id, usage, end, key))

    async def release(self, reservation_id: str, *, key: str | None = None) -> Released:
        """Give a hold back: the call was not made."""
        return await self.ask(ask.release(reservation_id, key))

    async def extend(
        self, reservation_id: str, *, key: str | None = None, **more: Unpack[More]
    ) -> HoldShown:
        """Make a hold larger, longer-lived, or both."""
        return await self.ask(ask.extend(reservation_id, more, key))

    async def record(
        self, model: str, usage: Mapping[str, Any], *, key: str | None = None, **used: Unpack[Used]
    ) -> Booked:
        """Book usage that nobody held for."""
        return await self.book(
            ask.with_component(ask.record(model, usage, used, key), self.component)
        )

    async def allocate(
        self, context_id: str, *, key: str | None = None, **wanted: Unpack[Set]
    ) -> Allocation:
        """Set tokens (or usd, calls) aside for a context that many calls draw from."""
        return await self.ask(
            ask.with_component(ask.allocate(context_id, wanted, key), self.component)
        )

    async def show_allocation(self, allocation_id: str) -> HoldShown:
        return await self.ask(ask.show_allocation(allocation_id))

    async def extend_allocation(
        self, allocation_id: str, *, key: str | None = None, **more: Unpack[More]
    ) -> HoldShown:
        """Make an allocation larger, longer-lived, or both."""
        return await self.ask(ask.extend_allocation(allocation_id, more, key))

    async def release_allocation(self, allocation_id: str, *, key: str | None = None) -> Released:
        """Give back what is left of an allocation."""
        return await self.ask(ask.release_allocation(allocation_id, key))

    async def set_policy(
        self, name: str, limit: Mapping[str, Any], period: str, **rule: Unpack[Rule]
    ) -> PolicyShown:
        """Make a policy, or replace the one of that name. Needs the role admin."""
        return await self.ask(ask.set_policy(name, limit, period, rule))

    async def remove_policy(self, name: str, *, why: str | None = None) -> None:
        await self.ask(ask.remove_policy(name, why))

    async def _pages(self, page_after: Callable[[str | None], Ask[Any]]) -> AsyncIterator[Any]:
        cursor: str | None = None
        while True:
            page = await self.ask(page_after(cursor))
            for item in page.items:
                yield item
            cursor = page.next_cursor
            if cursor is None:
                return

    def policies(self) -> AsyncIterator[PolicyShown]:
        """All policies, by name."""
        return self._pages(ask.list_policies)

    def balances(
        self, *, policy: str | None = None, component: str | None = None
    ) -> AsyncIterator[Balance]:
        """Limits, used, held and left of every counter that is open now."""
        return self._pages(lambda cursor: ask.balances(policy, component, cursor))

    def allocations(self, *, status: str | None = None) -> AsyncIterator[HoldShown]:
        """Allocations, oldest first; `status` is held, released or expired."""
        return self._pages(lambda cursor: ask.list_allocations(status, cursor))

    async def report(self, **wanted: Unpack[Report]) -> SpendReport:
        """What was spent: any filter, any groups, cut by time."""
        return await self.ask(ask.report(wanted))

    async def quote(
        self, model: str, usage: Mapping[str, Any], *, provider: str | None = None
    ) -> Quote:
        """What a usage costs. Books nothing."""
        return await self.ask(ask.quote_price(model, usage, provider))

    async def begin(
        self, model: str, *, key: str | None = None, **call: Unpack[Wanted]
    ) -> AsyncHold:
        """Hold a call without a block: whoever begins it ends it."""
        request = ask.with_component(ask.reserve(model, call, key), self.component)
        return AsyncHold(self, request, await self._reserve(request))

    @asynccontextmanager
    async def hold(
        self, model: str, *, key: str | None = None, **call: Unpack[Wanted]
    ) -> AsyncIterator[AsyncHold]:
        """Hold a call: `async with budget.hold("gpt-4o", max_output_tokens=500) as hold: …`."""
        hold = await self.begin(model, key=key, **call)
        try:
            yield hold
        except BaseException as error:
            await hold.end(error)
            raise
        await hold.end(None)

    def track(
        self, model: str, **call: Unpack[Wanted]
    ) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
        """Hold before each call of a function, and settle with what it returns."""
        return track.tracked_async(self, model, call)

    async def deliver(self) -> Delivered:
        """Send everything that is queued now."""
        return await self._walk(self._conduct.deliver())
