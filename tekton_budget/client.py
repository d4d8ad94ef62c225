"""The client for programs that wait: typed verbs, a hold as a `with` block, `track`."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, Self, TypeVar, Unpack

from tekton_budget import ask, track
from tekton_budget.ask import Ask
from tekton_budget.delivery import Delivered
from tekton_budget.details import Wanted
from tekton_budget.errors import BudgetError
from tekton_budget.find import find
from tekton_budget.flow import Away, Conduct
from tekton_budget.hold import Hold
from tekton_budget.spool import Spool, default_directory
from tekton_budget.steps import Flow, Send
from tekton_budget.verbs import Page, Verbs
from tekton_budget.wire import Wire

R = TypeVar("R")
P = ParamSpec("P")


class BudgetClient(Verbs):
    """Asks the daemon. Finds address and token by itself; may be used from many threads.

    `component` is who spends, where a call names nobody else. `when_away` is `deny`, `allow` or
    `queue`: see `tekton_budget.flow.Away`.
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
    ) -> None:
        self.component = component
        self._wire = Wire(lambda: find(url=url, token=token, data_dir=data_dir), timeout_s)
        self._conduct = Conduct(when_away, Spool(queue_dir or default_directory()), tries)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._wire.close()

    def _walk(self, flow: Flow[R]) -> R:
        try:
            step = next(flow)
            while True:
                if not isinstance(step, Send):
                    time.sleep(step.seconds)
                    step = next(flow)
                    continue
                try:
                    document = self._wire.send(step.ask)
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

    def ask(self, request: Ask[R]) -> R:
        """Anything of `tekton_budget.ask`."""
        request = ask.with_component(request, self.component)
        return self._walk(self._conduct.ask(request))

    def many(self, requests: Sequence[Ask[R]]) -> list[R | BudgetError]:
        """Several at once, in as few requests as the daemon takes; each has its own outcome.

        They do not wait for each other. Only what is posted can be among them.
        """
        asks = [ask.with_component(one, self.component) for one in requests]
        return self._walk(self._conduct.many(asks))

    def pages(self, request: Ask[Page[R]]) -> Iterator[R]:
        """The items of a list, page by page."""
        page = self.ask(request)
        while True:
            yield from page.items
            if page.next_cursor is None:
                return
            page = self.ask(ask.page_after(request, page.next_cursor))

    def hold(self, model: str, *, key: str | None = None, **call: Unpack[Wanted]) -> Hold:
        """Hold a call: `with budget.hold("gpt-4o", max_output_tokens=500) as hold: …`."""
        request = ask.with_component(ask.reserve(model, key=key, **call), self.component)
        return Hold(self, request, self.ask(request))

    def track(
        self, model: str, **call: Unpack[Wanted]
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Hold before each call of a function, and settle with what it returns."""
        return track.tracked(self, model, call)

    def deliver(self) -> Delivered:
        """Send everything that is queued now."""
        return self._walk(self._conduct.deliver())
