"""The ledger of one component: its holds, its allocations, its idempotency keys.

It prices what it is told, asks the policy engine, writes down what came of it, and the journal
answers the caller once that is on disk. Nobody waits in between.
"""

from collections.abc import Iterable
from typing import Any, assert_never

from actors.ledger import ending, opening, recall, routing
from actors.ledger.desk import Desk
from actors.ledger.directory import Directory, unknown_hold
from actors.ledger.sieve import UsedKeys
from actors.ledger.task import Task
from actors.routing.router import Router
from actors.runtime import ServiceActor
from actors.tell import Tell
from actors.time import LedgerTime
from protocols.correct import Amended
from protocols.errors import Forbidden
from protocols.journal import KeyFound, Recalled, StoredHold
from protocols.ledger import (
    Allocate,
    Check,
    Explain,
    Extend,
    ExtendAllocation,
    Record,
    Release,
    ReleaseAllocation,
    Reserve,
    Settle,
    ShowAllocation,
    ShowReservation,
)
from protocols.message import Call
from protocols.policy.charge import (
    Admitted,
    Enlarged,
    Lapsed,
    Posted,
    Refused,
    Returned,
    Weighed,
)
from protocols.policy.choice import Chosen
from protocols.prices import PriceBook
from protocols.prices.kept import PricesChanged
from protocols.routing.messages import Route
from protocols.tiers import TierTable
from protocols.token_estimate import Counting

Once = (
    Reserve
    | Allocate
    | Settle
    | Release
    | ReleaseAllocation
    | Extend
    | ExtendAllocation
    | Record
    | Route
)
Look = Check | Explain | ShowReservation | ShowAllocation
Seldom = Returned | Enlarged | Weighed | Chosen | KeyFound | Recalled | PricesChanged | Amended
Told = Admitted | Refused | Posted | Lapsed | Seldom
Heard = Once | Look | Told


class Ledger(ServiceActor):
    """One for each component; made when its name is first heard."""

    def __init__(
        self,
        component: str,
        tell: Tell,
        time: LedgerTime,
        book: PriceBook,
        tiers: TierTable,
        directory: Directory,
        used: UsedKeys | None = None,
        stored: Iterable[StoredHold] = (),
        count: Counting | None = None,
        router: Router | None = None,
    ) -> None:
        super().__init__(f"ledger:{component}")
        used = used or UsedKeys()
        self.desk = Desk(component, tell, time, book, tiers, directory, used, count, router)
        for row in stored:
            self.desk.holds[row.id] = recall.rebuilt(self.desk, row)

    def receive(self, message: Heard, call: Call[Any]) -> None:
        # What a message is not costs most to find out for a pydantic class: those come last.
        match message:
            case (
                Admitted() | Refused() | Posted() | Lapsed()
                | Returned() | Enlarged() | Weighed() | Chosen() | KeyFound() | Recalled()
                | PricesChanged() | Amended()
            ):  # fmt: skip
                self.hear(message, call)
            case (
                Reserve() | Settle() | Record() | Allocate()
                | Release() | ReleaseAllocation() | Extend() | ExtendAllocation() | Route()
            ):  # fmt: skip
                self.check_scope(message, call)
                self.desk.once.begin(message, call, self.work)
            case Check() | Explain():
                self.check_scope(message, call)
                opening.weigh(self.desk, message, call)
            case ShowReservation() | ShowAllocation():
                self.check_scope(message, call)
                ending.show(self.desk, message, call)
            case _:
                assert_never(message)

    def work(self, task: Task, call: Call[Any]) -> None:
        """Begin what was asked; the answer comes by way of the policy engine."""
        request: Once = task.request
        match request:
            case Reserve():
                opening.reserve(self.desk, task, call)
            case Settle() | Release() | ReleaseAllocation() | Extend() | ExtendAllocation():
                ending.end(self.desk, task, call)
            case Record():
                ending.record(self.desk, task, call)
            case Allocate():
                opening.allocate(self.desk, task, call)
            case Route():
                routing.route(self.desk, task, call)
            case _:
                assert_never(request)

    def hear(self, message: Told, call: Call[Any]) -> None:
        """What the policy engine and the journal say."""
        desk = self.desk
        match message:
            case Admitted():
                opening.admitted(desk, message, call)
            case Refused():
                opening.refused(desk, message, call)
            case Posted():
                ending.posted(desk, message, call)
            case Lapsed():
                ending.lapsed(desk, message, call)
            case _:
                self.hear_seldom(message, call)

    def hear_seldom(self, message: Seldom, call: Call[Any]) -> None:
        desk = self.desk
        match message:
            case Returned():
                ending.returned(desk, message, call)
            case Enlarged():
                ending.enlarged(desk, message, call)
            case Weighed():
                opening.weighed(desk, message, call)
            case Chosen():
                routing.chosen(desk, message, call)
            case KeyFound():
                desk.once.found(message, call, self.work)
            case Recalled():
                recall.recalled(desk, message, call)
            case PricesChanged():
                desk.book = message.book
            case Amended():
                desk.amend(message)
            case _:
                assert_never(message)

    def check_scope(self, request: Once | Look, call: Call[Any]) -> None:
        """A foreign hold looks like one that never was. Raises `Forbidden` or `NotFound`."""
        if call.caller.may_act_for(self.desk.component):
            return
        if hasattr(request, "component"):
            raise Forbidden(
                f"this token may not act for {self.desk.component}",
                hint="use a token whose scope names the component",
            )
        raise unknown_hold(ending.id_of(request))
