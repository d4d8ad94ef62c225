"""The policy engine: every limit, every counter, one decision at a time.

It decides in memory on whole numbers: check every limit, then add to every counter. What it
tells a ledger, the ledger writes down; a new window it writes down itself, before anything
that refers to it.
"""

from typing import Any, assert_never

from actors.policy import moves, places, policies, weigh
from actors.policy.gauges import gauges
from actors.policy.state import EngineState
from actors.policy.world import World
from actors.runtime import NOBODY, ServiceActor
from actors.tell import Tell
from actors.time import LedgerTime
from protocols.correct import Amended, Correct
from protocols.journal import Append
from protocols.message import Call
from protocols.policy.charge import (
    Admit,
    Enlarge,
    Post,
    Return,
    Weigh,
)
from protocols.policy.choice import Choose
from protocols.policy.gauges import ReadGauges
from protocols.policy.messages import (
    ListBudgets,
    ListPolicies,
    RemoveBudget,
    RemovePolicy,
    SetBudget,
    SetPolicy,
    ShowBalances,
    ShowPolicy,
)
from protocols.prices import PriceBook, PricesChanged
from protocols.reports import ListPaces
from protocols.tiers import TierTable

Heard = (
    Admit | Weigh | Choose | Post | Return | Enlarge | policies.Sweep | policies.Seed
    | PricesChanged | SetPolicy | RemovePolicy | ShowPolicy | ListPolicies | SetBudget
    | RemoveBudget | ListBudgets | ShowBalances | ListPaces | ReadGauges | Correct
)  # fmt: skip


class PolicyEngine(ServiceActor):
    """Owns policies and the counters of every window."""

    def __init__(
        self, tell: Tell, time: LedgerTime, book: PriceBook, tiers: TierTable, state: EngineState
    ) -> None:
        super().__init__("policy")
        self.tell = tell
        self.time = time
        self.world = World(time, book, tiers, state)

    def receive(self, message: Heard, call: Call[Any]) -> None:
        self.lapse()
        match message:
            case Admit():
                answer: object = moves.admit(self.world, message)
                self.decided(message.subject.component, answer, call)
            case Post():
                self.decided(message.subject.component, moves.post(self.world, message), call)
            case Return():
                self.decided(message.component, moves.give_back(self.world, message), call)
            case Enlarge():
                self.decided(message.component, moves.enlarge(self.world, message), call)
            case Choose():
                answer = moves.choose(self.world, message)
                self.decided(message.call.subject.component, answer, call)
            case Weigh():
                answer = weigh.weigh(self.world, message.admit, explain=message.explain)
                self.decided(message.admit.subject.component, answer, call)
            case policies.Sweep() | PricesChanged() | Correct() | ReadGauges():
                self.hear_seldom(message, call)
            case SetPolicy() | RemovePolicy() | SetBudget() | RemoveBudget() | policies.Seed():
                self.write(policies.change(self.world, message, call.caller.name), call)
            case ShowPolicy() | ListPolicies() | ListBudgets() | ShowBalances() | ListPaces():
                call.answer(policies.show(self.world, message))
            case _:
                assert_never(message)

    def hear_seldom(
        self, message: policies.Sweep | PricesChanged | Correct | ReadGauges, call: Call[Any]
    ) -> None:
        match message:
            case policies.Sweep():
                self.world.forget()
            case PricesChanged():
                self.world.change_book(message.book)
            case Correct():
                self.correct(message, call)
            case ReadGauges():
                call.answer(gauges(self.world, message))
            case _:
                assert_never(message)

    def decided(self, component: str, answer: object, call: Call[Any]) -> None:
        """Counters that were opened for it are written down first, then its ledger hears."""
        if self.world.opened:
            drafts, self.world.opened = self.world.opened, []
            self.tell("journal", Append(drafts), NOBODY)
        self.tell(ledger(component), answer, call)

    def correct(self, ask: Correct, call: Call[Any]) -> None:
        """Count provisional bookings at their price, in the windows that are still open."""
        for one in ask.corrections:
            for counter in self.world.counters(tuple(one.windows)):
                counter.use(0, one.usd)
            if crossed := self.world.crossed(one.windows):
                one.draft.body["crossed"] = crossed
            if one.holds:
                self.tell(ledger(one.component), Amended(one.holds, one.usd), NOBODY)
        drafts = [*ask.prices, *(one.draft for one in ask.corrections)]
        self.tell("journal", Append(drafts, answer=len(ask.corrections)), call)

    def lapse(self) -> None:
        """Expire what is overdue, before anything is decided."""
        for component, lapsed in places.overdue(self.world):
            self.tell(ledger(component), lapsed, NOBODY)

    def write(self, change: policies.Change, call: Call[Any]) -> None:
        self.tell("journal", Append(change.drafts, change.reply, stamp=change.stamp), call)


def ledger(component: str) -> str:
    return f"ledger:{component}"
