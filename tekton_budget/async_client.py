"""The client for coroutines: the verbs of `BudgetClient`, awaited. On asyncio alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, Self, TypeVar, Unpack

from tekton_budget import ask, track
from tekton_budget.ask import Ask
from tekton_budget.async_wire import AsyncWire
from tekton_budget.delivery import Delivered
from tekton_budget.details import Wanted
from tekton_budget.errors import BudgetError
from tekton_budget.find import find
from tekton_budget.flow import Away, Conduct
from tekton_budget.hold import AsyncHold
from tekton_budget.spool import Spool, default_directory
from tekton_budget.steps import Flow, Send
from tekton_budget.stream import StreamWire
from tekton_budget.verbs import Page, Verbs

R = TypeVar("R")
P = ParamSpec("P")


class AsyncBudgetClient(Verbs):
    """As `BudgetClient`. Many coroutines of one loop may use it at once.

    With `stream` they share one connection that stays open; close the client when all is said.
    """

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
        stream: bool = False,
    ) -> None:
        self.component = component
        wire = StreamWire if stream else AsyncWire
        self._wire = wire(lambda: find(url=url, token=token, data_dir=data_dir), timeout_s)
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
        request = ask.with_component(request, self.component)
        return await self._walk(self._conduct.ask(request))

    async def many(self, requests: Sequence[Ask[R]]) -> list[R | BudgetError]:
        """Several at once, in as few requests as the daemon takes; each has its own outcome.

        They do not wait for each other. Only what is posted can be among them.
        """
        asks = [ask.with_component(one, self.component) for one in requests]
        return await self._walk(self._conduct.many(asks))

    async def pages(self, request: Ask[Page[R]]) -> AsyncIterator[R]:
        """The items of a list, page by page."""
        page = await self.ask(request)
        while True:
            for item in page.items:
                yield item
            if page.next_cursor is None:
                return
            page = await self.ask(ask.page_after(request, page.next_cursor))

    async def begin(
        self, model: str, *, key: str | None = None, **call: Unpack[Wanted]
    ) -> AsyncHold:
        """Hold a call without a block: whoever begins it ends it."""
        request = ask.with_component(ask.reserve(model, key=key, **call), self.component)
        return AsyncHold(self, request, await self.ask(request))

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
