"""The client for programs that wait: typed verbs, a hold as a `with` block, `track`."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, Unpack

from tekton_budget import ask, track
from tekton_budget.ask import Ask, Ending, More, Report, Rule, Set, Used, Wanted
from tekton_budget.errors import BudgetError
from tekton_budget.find import find
from tekton_budget.flow import Away, Conduct, Delivered, Flow, Send
from tekton_budget.hold import Hold
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
from tekton_budget.wire import Wire

R = TypeVar("R")
P = ParamSpec("P")


class BudgetClient:
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
        return self._walk(self._conduct.ask(request))

    def book(self, request: Ask[Booked]) -> Booked:
        """Usage that happened: delivered, or kept until it can be."""
        return self._walk(self._conduct.book(request))

    def reserve(self, model: str, *, key: str | None = None, **call: Unpack[Wanted]) -> Reservation:
        """Hold the worst case of a call, or raise `Denied`."""
        return self._reserve(ask.with_component(ask.reserve(model, call, key), self.component))

    def _reserve(self, request: Ask[Reservation]) -> Reservation:
        return self._walk(self._conduct.reserve(request))

    def check(self, model: str, **call: Unpack[Wanted]) -> Checked:
        """Would this call be admitted? Holds nothing."""
        return self.ask(ask.with_component(ask.check(model, call), self.component))

    def settle(
        self,
        reservation_id: str,
        usage: Mapping[str, Any],
        *,
        key: str | None = None,
        **end: Unpack[Ending],
    ) -> Booked:
        """Book what a held call used. Never refused because of a limit."""
        return self.book(ask.settle(reservation_id, usage, end, key))

    def release(self, reservation_id: str, *, key: str | None = None) -> Released:
        """Give a hold back: the call was not made."""
        return self.ask(ask.release(reservation_id, key))

    def extend(
        self, reservation_id: str, *, key: str | None = None, **more: Unpack[More]
    ) -> HoldShown:
        """Make a hold larger, longer-lived, or both."""
        return self.ask(ask.extend(reservation_id, more, key))

    def record(
        self, model: str, usage: Mapping[str, Any], *, key: str | None = None, **used: Unpack[Used]
    ) -> Booked:
        """Book usage that nobody held for."""
        return self.book(ask.with_component(ask.record(model, usage, used, key), self.component))

    def allocate(
        self, context_id: str, *, key: str | None = None, **wanted: Unpack[Set]
    ) -> Allocation:
        """Set tokens (or usd, calls) aside for a context that many calls draw from."""
        return self.ask(ask.with_component(ask.allocate(context_id, wanted, key), self.component))

    def show_allocation(self, allocation_id: str) -> HoldShown:
        return self.ask(ask.show_allocation(allocation_id))

    def extend_allocation(
        self, allocation_id: str, *, key: str | None = None, **more: Unpack[More]
    ) -> HoldShown:
        """Make an allocation larger, longer-lived, or both."""
        return self.ask(ask.extend_allocation(allocation_id, more, key))

    def release_allocation(self, allocation_id: str, *, key: str | None = None) -> Released:
        """Give back what is left of an allocation."""
        return self.ask(ask.release_allocation(allocation_id, key))

    def set_policy(
        self, name: str, limit: Mapping[str, Any], period: str, **rule: Unpack[Rule]
    ) -> PolicyShown:
        """Make a policy, or replace the one of that name. Needs the role admin."""
        return self.ask(ask.set_policy(name, limit, period, rule))

    def remove_policy(self, name: str, *, why: str | None = None) -> None:
        self.ask(ask.remove_policy(name, why))

    def _pages(self, page_after: Callable[[str | None], Ask[Any]]) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            page = self.ask(page_after(cursor))
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def policies(self) -> Iterator[PolicyShown]:
        """All policies, by name."""
        return self._pages(ask.list_policies)

    def balances(
        self, *, policy: str | None = None, component: str | None = None
    ) -> Iterator[Balance]:
        """Limits, used, held and left of every counter that is open now."""
        return self._pages(lambda cursor: ask.balances(policy, component, cursor))

    def allocations(self, *, status: str | None = None) -> Iterator[HoldShown]:
        """Allocations, oldest first; `status` is held, released or expired."""
        return self._pages(lambda cursor: ask.list_allocations(status, cursor))

    def report(self, **wanted: Unpack[Report]) -> SpendReport:
        """What was spent: any filter, any groups, cut by time."""
        return self.ask(ask.report(wanted))

    def quote(self, model: str, usage: Mapping[str, Any], *, provider: str | None = None) -> Quote:
        """What a usage costs. Books nothing."""
        return self.ask(ask.quote_price(model, usage, provider))

    def hold(self, model: str, *, key: str | None = None, **call: Unpack[Wanted]) -> Hold:
        """Hold a call: `with budget.hold("gpt-4o", max_output_tokens=500) as hold: …`."""
        request = ask.with_component(ask.reserve(model, call, key), self.component)
        return Hold(self, request, self._reserve(request))

    def track(
        self, model: str, **call: Unpack[Wanted]
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Hold before each call of a function, and settle with what it returns."""
        return track.tracked(self, model, call)

    def deliver(self) -> Delivered:
        """Send everything that is queued now."""
        return self._walk(self._conduct.deliver())
