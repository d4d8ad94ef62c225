"""The policy engine: every limit, every counter, one decision at a time.

It decides in memory on whole numbers: check every limit, then add to every counter. What it
tells a ledger, the ledger writes down; a new window it writes down itself, before anything
that refers to it.
"""

from collections.abc import Sequence
from typing import Any, assert_never

from actors.policy import choose, decide, places, policies, weigh
from actors.policy.counter import Charge
from actors.policy.crossing import crossings
from actors.policy.rulebook import Seat
from actors.policy.state import EngineState
from actors.policy.world import World
from actors.runtime import NOBODY, ServiceActor
from actors.tell import Tell
from actors.time import LedgerTime
from protocols.correct import Amended, Correct
from protocols.errors import HoldEnded
from protocols.journal import Append, Draft
from protocols.message import Call
from protocols.policy.charge import (
    NOTHING,
    Admit,
    Admitted,
    Amounts,
    Covers,
    Enlarge,
    Enlarged,
    Post,
    Refused,
    Return,
    Returned,
    Weigh,
)
from protocols.policy.choice import Choose, Chosen
from protocols.policy.messages import (
    ListBudgets,
    ListPolicies,
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
    | PricesChanged | SetPolicy | RemovePolicy | ShowPolicy | ListPolicies | SetBudget | ListBudgets
    | ShowBalances | ListPaces | Correct
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
                self.admit(message, call)
            case Post():
                self.post(message, call)
            case Return():
                self.give_back(message, call)
            case Enlarge():
                self.enlarge(message, call)
            case Choose():
                self.choose(message, call)
            case Weigh():
                self.tell(
                    ledger(message.admit.subject.component),
                    weigh.weigh(self.world, message.admit),
                    call,
                )
            case policies.Sweep() | PricesChanged() | Correct():
                self.hear_seldom(message, call)
            case SetPolicy() | RemovePolicy() | SetBudget() | policies.Seed():
                self.write(policies.change(self.world, message, call.caller.name), call)
            case ShowPolicy() | ListPolicies() | ListBudgets() | ShowBalances() | ListPaces():
                call.answer(policies.show(self.world, message))
            case _:
                assert_never(message)

    def hear_seldom(
        self, message: policies.Sweep | PricesChanged | Correct, call: Call[Any]
    ) -> None:
        match message:
            case policies.Sweep():
                self.world.forget()
            case PricesChanged():
                self.world.change_book(message.book)
            case Correct():
                self.correct(message, call)
            case _:
                assert_never(message)

    def admit(self, ask: Admit, call: Call[Any]) -> None:
        """Hold in every matching window and in the allocation, or nowhere."""
        seats = self.world.rules.seats(ask.subject, self.time.now_ms())
        parent = self.world.charges.get(ask.parent)
        covered = parent.covers or NOTHING if parent is not None else NOTHING
        own = places.uncovered(ask.amounts, covered)
        pairs = [(rule, meter) for rule, meter, _ in seats]
        verdict = decide.judge(pairs, own, ask.priority)
        refusal = weigh.refusal(self.world, ask, pairs, parent, verdict)
        if refusal is None:
            answer: object = self.hold(ask, seats, parent, verdict)
        else:
            answer = Refused(refusal, ask.memo, verdict.downgrade)
        self.tell(ledger(ask.subject.component), answer, call)

    def hold(
        self, ask: Admit, seats: Sequence[Seat], parent: Charge | None, verdict: decide.Verdict
    ) -> Admitted:
        """It was judged in this very step: add it to every counter."""
        covered = parent.covers or NOTHING if parent is not None else NOTHING
        self.open(seats)
        charge = self.take(ask, seats, covered, parent)
        figures = decide.written([(rule, counter.meter) for rule, _, counter in seats])
        found = Admitted(places.of(charge, parent), figures, verdict.warnings, ask.memo)
        if verdict.near:
            found.crossed = crossings([(rule, counter) for rule, _, counter in seats])
        return found

    def choose(self, ask: Choose, call: Call[Any]) -> None:
        """Weigh the options in their order, and hold the one that is taken."""
        place, weighings = choose.choose(self.world, ask)
        admitted = None
        if place is not None and ask.take:
            taken = ask.options[place].admit
            seats = self.world.rules.seats(taken.subject, self.time.now_ms())
            parent = self.world.charges.get(taken.parent)
            covered = parent.covers or NOTHING if parent is not None else NOTHING
            own = places.uncovered(taken.amounts, covered)
            pairs = [(rule, meter) for rule, meter, _ in seats]
            admitted = self.hold(taken, seats, parent, decide.judge(pairs, own, taken.priority))
        self.tell(ledger(ask.component), Chosen(place, weighings, admitted, ask.memo), call)

    def take(
        self, ask: Admit, seats: Sequence[Seat], covered: Covers, parent: Charge | None
    ) -> Charge:
        charge = Charge(
            ask.hold,
            ask.subject.component,
            tuple([counter for _, _, counter in seats if counter.id]),
            Amounts(),
            self.time.monotonic() + ask.ttl_s,
            covers=ask.covers,
            parent=ask.parent,
            parent_counters=parent.counters if parent is not None else (),
            covered=covered,
        )
        if covered == NOTHING:
            charge.take_all(ask.amounts)
        else:
            for axis, amount in enumerate(ask.amounts):
                if covered[axis] and parent is not None:
                    parent.take(axis, -amount)
                charge.take(axis, amount)
        for rule, _, counter in seats:
            if counter.id == 0:  # a session of this one call: shown, then forgotten
                for axis in rule.axes:
                    counter.hold(axis, 0 if covered[axis] else ask.amounts[axis])
        self.world.charges.add(charge)
        return charge

    def open(self, seats: Sequence[Seat]) -> None:
        """Number the counters that are charged for the first time, and write them down."""
        drafts: list[Draft] = []
        for rule, _, counter in seats:
            if counter.id == 0 and (not rule.scoped or counter.key):
                self.world.rules.open(rule, counter, self.world.number())
                drafts.append(policies.window_opened(rule, counter))
        if drafts:
            self.tell("journal", Append(drafts), NOBODY)

    def post(self, ask: Post, call: Call[Any]) -> None:
        """Book in the hold's windows, or, without a hold, in those of now. Never refused."""
        charge = self.world.charges.get(ask.hold)
        if charge is not None:
            posted = places.settle(self.world, charge, ask)
        elif ask.hold is not None:
            posted = places.settle_late(self.world, ask)
        else:
            seats = self.world.rules.seats(ask.subject, self.time.now_ms())
            self.open(seats)
            counters = tuple(seat.counter for seat in seats if seat.counter.id)
            posted = places.record(self.world, counters, ask)
        if ask.hold is None or posted.kind != "settled":  # else it took what was held, or less
            at = posted.places
            posted.crossed = self.world.crossed((*at.windows, *at.parent_windows))
        self.tell(ledger(ask.subject.component), posted, call)

    def give_back(self, ask: Return, call: Call[Any]) -> None:
        charge = self.world.charges.get(ask.hold)
        if charge is None:
            self.tell(ledger(ask.component), Refused(expired(ask.hold), ask.memo), call)
            return
        self.world.charges.remove(charge)
        parent = places.hand_back(self.world, charge)
        self.tell(ledger(ask.component), Returned(places.of(charge, parent), ask.memo), call)

    def enlarge(self, ask: Enlarge, call: Call[Any]) -> None:
        charge = self.world.charges.get(ask.hold)
        if charge is None:
            self.tell(ledger(ask.component), Refused(expired(ask.hold), ask.memo), call)
            return
        parent = self.world.charges.get(charge.parent)
        refusal = weigh.refusal_to_enlarge(self.world, ask, charge, parent)
        if refusal is not None:
            self.tell(ledger(ask.component), Refused(refusal, ask.memo), call)
            return
        for axis, amount in enumerate(ask.amounts):
            if charge.covered[axis] and parent is not None:
                parent.take(axis, -amount)
            charge.take(axis, amount)
        if ask.ttl_s is not None:
            self.world.charges.prolong(charge, self.time.monotonic() + ask.ttl_s)
        held = Amounts(*charge.held)
        at = places.of(charge, parent)
        crossed = self.world.crossed(charge.windows)
        self.tell(ledger(ask.component), Enlarged(held, at, ask.memo, crossed), call)

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


def expired(hold: str) -> HoldEnded:
    return HoldEnded(f"{hold} has expired", hint="reserve again", ended="expired")
