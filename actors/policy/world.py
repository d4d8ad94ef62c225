"""What the policy engine knows, rebuilt from the journal at every start."""

from collections.abc import Iterable

from actors.policy.charges import Charges
from actors.policy.counter import Charge, Counter
from actors.policy.crossing import crossings
from actors.policy.rule import UNLIMITED, Rule
from actors.policy.rulebook import Rulebook
from actors.policy.state import EngineState, StoredCharge
from actors.time import LedgerTime
from protocols.journal import Draft
from protocols.money import Nanos
from protocols.policy.charge import Amounts, Crossed
from protocols.prices import PriceBook, PriceVersion
from protocols.prices.ladder import Ladder
from protocols.tiers import TierTable
from protocols.usage import Usage

LADDERS_MAX = 64
FORGET_EVERY_S = 60.0
TURNS_IN_A_MS = 1_000


class World:
    """Rules, counters, open charges, and the prices that remedies are worked out with."""

    def __init__(
        self, time: LedgerTime, book: PriceBook, tiers: TierTable, state: EngineState
    ) -> None:
        self.time = time
        self.book = book
        self.tiers = tiers
        self.budgets = dict(state.budgets)
        self.next_window = state.next_window
        self.rules = Rulebook()
        self.charges = Charges()
        self._turn = time.now_ms() * TURNS_IN_A_MS
        self.opened: list[Draft] = []
        """Counters that were opened and are not written down yet."""
        self._forgot_at = time.monotonic()
        self._ladders: dict[tuple[object, ...], Ladder] = {}
        self._restore(state)

    def turn(self) -> int:
        """The place of the next decision. Grows over restarts, too: it starts from the clock."""
        self._turn += 1
        return self._turn

    def number(self) -> int:
        """The next window's number."""
        self.next_window += 1
        return self.next_window - 1

    def rivals(
        self, version: PriceVersion, estimate: Usage, room_usd: int
    ) -> list[tuple[Nanos, PriceVersion]]:
        """What else the same provider sells for less and within the room, dearest first:
        (nano-dollars, version).

        A storm of refusals asks the same over and over, so what is worked out is kept for a while.
        """
        key = (version.id, *estimate.counts.items())
        ladder = self._ladders.get(key)
        if ladder is None:
            if len(self._ladders) >= LADDERS_MAX:
                self._ladders.clear()
            ladder = self._ladders[key] = self.book.below(estimate, version)
        return ladder.within(None if room_usd >= UNLIMITED else Nanos(room_usd))

    def forget(self) -> None:
        """Let go of closed windows, now and then: it looks at every counter."""
        if self.time.monotonic() - self._forgot_at >= FORGET_EVERY_S:
            self._forgot_at = self.time.monotonic()
            self.rules.forget(self.time.now_ms())

    def change_book(self, book: PriceBook) -> None:
        self.book = book
        self._ladders.clear()

    def _restore(self, state: EngineState) -> None:
        for kept in state.policies:
            self.rules.put(Rule(kept.policy, kept.revision, kept.counting, kept.by, kept.at_ms))
        for stored in sorted(state.windows, key=lambda stored: stored.id):
            at = (stored.policy, stored.counting, stored.key, stored.window)
            counter = Counter(stored.id, *at, stored.used)
            counter.crossed = stored.crossed
            self.rules.restore(counter)
        for stored_charge in state.charges:
            self._restore_charge(stored_charge)

    def _restore_charge(self, stored: StoredCharge) -> None:
        left_s = (stored.expires_ms - self.time.now_ms()) / 1000
        charge = Charge(
            stored.hold,
            stored.component,
            self.counters(stored.windows),
            Amounts(),
            self.time.monotonic() + left_s,
            covers=stored.covers,
            parent=stored.parent,
            parent_counters=self.counters(stored.parent_windows),
            covered=stored.covered,
        )
        for axis, amount in enumerate(stored.held):
            charge.take(axis, amount)
        self.charges.add(charge)

    def crossed(self, numbers: Iterable[int]) -> Crossed:
        """Thresholds these windows have just reached, where their policies still mean the same."""
        rules = self.rules.rules
        return crossings(
            (rules[counter.policy], counter)
            for counter in self.counters(tuple(numbers))
            if counter.policy in rules and rules[counter.policy].counting == counter.counting
        )

    def counters(self, numbers: tuple[int, ...]) -> tuple[Counter, ...]:
        """Those still in memory; a closed window needs no counting here."""
        known = self.rules.counters
        return tuple(known[number] for number in numbers if number in known)
