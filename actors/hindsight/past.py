"""The past as a world that moves: entry by entry, by the moves of the living policy engine."""

from dataclasses import dataclass
from math import inf

from pydantic_core import to_json

from actors.hindsight.draft import Draft, counts
from actors.policy import moves, places, policies
from actors.policy.counter import Charge
from actors.policy.decide import Verdict
from actors.policy.rulebook import Seat
from actors.policy.state import EngineState
from actors.policy.world import World
from actors.routing.router import Errand, Plan
from actors.routing.router import World as Lookup
from actors.subject import read_subject
from actors.time import LedgerTime
from protocols.errors import BudgetError
from protocols.journal import StoredBooking
from protocols.policy.charge import (
    Admit,
    Admitted,
    Amounts,
    Enlarge,
    Places,
    Post,
    Posted,
    Refused,
    Subject,
)
from protocols.policy.choice import Choose
from protocols.policy.policy import Policy
from protocols.prices import PriceVersion
from protocols.usage import Usage
from protocols.wanted import Wanted


class Standstill:
    """A clock that shows whatever moment is looked at. Nothing lapses by itself."""

    def __init__(self) -> None:
        self.at_ms = 0

    def now_ms(self) -> int:
        return self.at_ms

    def monotonic(self) -> float:
        return 0.0


class PastTime(LedgerTime):
    """Goes where it is put: the id of a hold is older than the entry that tells of it."""

    def now_ms(self) -> int:
        return self.clock.now_ms()


@dataclass(slots=True)
class Outcome:
    """Held as asked, held on another model, or refused with the error."""

    error: BudgetError | None
    instead: PriceVersion | None = None
    amounts: Amounts | None = None


class Past:
    """Counters, holds and rules of the moment that is looked at."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.clock = Standstill()
        self.world = World(PastTime(self.clock), draft.book, draft.tiers, EngineState())
        self.lapsed: dict[str, Places] = {}
        """Where holds sat that expired, for those that are settled late."""
        self.priorities: dict[str, int] = {}
        self.allocations: set[str] = set()
        """Those whose beginning was seen, whatever became of them, and those that were older."""
        self.meant_since: dict[int, int] = {}
        """The turn from which a rule counts as it does, by the number of its counting: what was
        decided before it is in none of its counters."""
        for policy in draft.policies:
            self.set_policy(policy)

    def change(self, entry: StoredBooking) -> None:
        """A policy was set or removed then; what a draft says of it goes before."""
        if entry.subject in self.draft.fixed:
            return
        self.clock.at_ms = entry.at_ms
        if entry.kind == "policy_set":
            self.set_policy(Policy.model_validate_json(to_json(entry.body["after"])))
            rule = self.world.rules.rules[entry.subject]
            self.meant_since.setdefault(rule.counting, entry.body.get("turn", 0))
        elif entry.subject in self.world.rules.rules:
            self.world.rules.remove(entry.subject)

    def set_policy(self, policy: Policy) -> None:
        policies.set_policy(self.world, policy, "then", None)

    def seats(self, subject: Subject, turn: int) -> list[Seat]:
        """Where a call of before counts."""
        found = self.world.rules.seats(subject, self.world.time.now_ms())
        return [seat for seat in found if self.meant_since.get(seat.rule.counting, 0) <= turn]

    def know(self, entry: StoredBooking) -> None:
        """An allocation may be older than the past that was read. Then its first draw tells what
        it had left; the windows it sits in have ended.
        """
        body = entry.body
        if entry.kind == "allocated":
            self.allocations.add(entry.subject)
        name, left = str(body.get("parent")), body.get("parent_held")
        if left is None or name in self.allocations:
            return
        self.allocations.add(name)
        first, second, third = body["covered"]
        covered = (first, second, third)
        drawn = places.uncovered(
            Amounts(body["usd"], body["tokens"], body["calls"]),
            (not first, not second, not third),
        )  # fmt: skip
        held = Amounts(left[0] + drawn[0], left[1] + drawn[1], left[2] + drawn[2])
        self.world.charges.add(Charge(name, entry.component, (), held, inf, covers=covered))

    def take(self, ask: Admit, entry: StoredBooking) -> None:
        """It was held: count it, whatever the limits say."""
        world = self.world
        self.know(entry)
        seats = self.seats(ask.subject, entry.body.get("turn", 0))
        parent = world.charges.get(ask.parent)
        self.priorities[ask.hold] = ask.priority
        moves.hold(world, ask, seats, parent, Verdict(None, [], near=False))

    def decide(self, ask: Admit, entry: StoredBooking) -> Outcome:
        """Whether it would be held now, and on which model."""
        self.know(entry)
        self.priorities[ask.hold] = ask.priority
        found = moves.admit(self.world, ask)
        if isinstance(found, Admitted):
            return Outcome(None)
        usage: Usage | None = ask.memo
        if found.downgrade and usage is not None and not entry.body.get("exact_model"):
            return self._downgrade(ask, entry, found)
        return Outcome(found.error)

    def _downgrade(self, ask: Admit, entry: StoredBooking, found: Refused) -> Outcome:
        options = self._plan(ask, entry).for_downgrade()
        choice = Choose(ask, options, take=True, shown=0, memo=None, downgrade=True)
        place = moves.choose(self.world, choice).place
        if place is None:
            return Outcome(found.error)
        taken = options[place]
        return Outcome(found.error, taken.offer.version, taken.amounts)

    def _plan(self, ask: Admit, entry: StoredBooking) -> Plan:
        read, written = counts(entry.body)
        subject = ask.subject
        job = Wanted(
            component=subject.component, provider=subject.provider, model=subject.model,
            task_type=subject.task_type, priority=ask.priority, context_id=subject.context_id,
            allocation_id=ask.parent, input_tokens=read, max_output_tokens=written,
            needs=tuple(entry.body.get("needs", ())), tags=dict(subject.tags),
        )  # fmt: skip
        draft = self.draft
        lookup = Lookup(draft.book, draft.tiers, None, self.clock.at_ms)
        return draft.router.plan(Errand(job, job.provider, job.model), lookup)

    def book(self, entry: StoredBooking, usd: int) -> Posted | None:
        """What was used, in the windows of its hold. None if its hold is from before the past."""
        body, hold = entry.body, entry.subject
        amounts = Amounts(usd, body["tokens"], body["calls"])
        subject = read_subject(entry.component, body)
        if entry.kind == "recorded":
            self.know(entry)
            at = Places(parent=hold or None)
            post = Post(None, subject, amounts, final=True, places=at, memo=0)
            return moves.record(self.world, post, self.seats(subject, body.get("turn", 0)))
        charge = self.world.charges.get(hold)
        if charge is None and hold not in self.lapsed:
            return None
        where = self.lapsed.get(hold) or Places()
        final = body["final"]
        if final:
            self.lapsed.pop(hold, None)
            self.priorities.pop(hold, None)
        return moves.post(self.world, Post(hold, subject, amounts, final, where, memo=0))

    def use_up(self, ask: Admit, amounts: Amounts) -> None:
        """A call that was refused then and is held now: nobody knows what it would have used, so
        it uses all it holds.
        """
        post = Post(ask.hold, ask.subject, amounts, final=True, places=Places(), memo=0)
        moves.post(self.world, post)

    def end(self, hold: str, *, expired: bool) -> None:
        """Given back, or expired: then it may still be settled late."""
        charge = self.world.charges.get(hold)
        if charge is None:
            return
        self.world.charges.remove(charge)
        parent = places.hand_back(self.world, charge)
        if expired:
            self.lapsed[hold] = places.of(charge, parent)

    def extend(self, entry: StoredBooking) -> None:
        """As far as there is room; what is used beyond is booked all the same."""
        body = entry.body
        amounts = Amounts(body["usd"], body["tokens"], 0)
        priority = self.priorities.get(entry.subject, 5)
        ask = Enlarge(entry.subject, entry.component, amounts, priority, None, memo=0)
        moves.enlarge(self.world, ask)
