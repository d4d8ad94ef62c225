"""The replay: each call of the past decided again, and where that parts from what happened."""

from collections.abc import Iterable
from heapq import heappop, heappush

from actors.hindsight.draft import Draft, attempt
from actors.hindsight.past import Outcome, Past
from actors.hindsight.tally import Tally
from actors.policy.rule import Rule
from protocols.hindsight import Replayed
from protocols.journal import BOOKINGS, StoredBooking
from protocols.names import made_ms
from protocols.period import DAY_MS, Window, window_at
from protocols.policy.charge import Admit
from protocols.policy.policy import Policy
from protocols.prices import PriceVersion

SESSION_MS = 90 * DAY_MS
"""How long a session's counter lives."""
POLICY_KINDS = frozenset({"policy_set", "policy_removed"})
DECIDES = POLICY_KINDS | BOOKINGS | {
    "held", "allocated", "denied", "released", "expired", "extended", "corrected",
}  # fmt: skip
WAITING_MAX = 4_096
"""Entries kept back so that they can be put in the order of their decisions."""


class Replay:
    """Fed every entry in order; then `tally` says what came of it.

    Entries before the span only fill the counters: what happened is taken as it was.
    """

    def __init__(self, draft: Draft, span: Window, component: str | None = None) -> None:
        self.draft = draft
        self.span = span
        self.past = Past(draft)
        self.tally = Tally(component)
        self.refused: set[str] = set()
        """Holds that would not have been, so what was booked against them is left out."""
        self.instead: dict[str, PriceVersion] = {}
        """Holds that another model would have had."""
        self.waiting: list[tuple[int, int, StoredBooking]] = []
        self.latest = 0
        self.provisional: dict[int, tuple[int, ...]] = {}
        """Bookings that a correction may come for, and where they count."""

    def begin(self, changes: Iterable[StoredBooking]) -> int:
        """Every change of a policy before the span. Says from when on the past is needed."""
        for entry in changes:
            self.past.change(entry)
        rules = self.past.world.rules.rules.values()
        return min((self._since(rule) for rule in rules), default=self.span.starts_ms)

    def _since(self, rule: Rule) -> int:
        """When the window began that is open as the span begins."""
        policy: Policy = rule.policy
        starts = self.span.starts_ms
        if policy.period == "total":
            return 0
        if rule.scoped:
            return starts - SESSION_MS
        if rule.length_ms is not None:
            return starts - 2 * rule.length_ms
        return window_at(policy.period, policy.zone, starts).starts_ms

    def add(self, entry: StoredBooking) -> None:
        """The next entry of the journal. What was decided before it may still come."""
        if entry.kind not in DECIDES:
            self.tally.entries += entry.at_ms >= self.span.starts_ms
            return
        turn = int(entry.body.get("turn", self.latest))
        self.latest = max(self.latest, turn)
        heappush(self.waiting, (turn, entry.seq, entry))
        if len(self.waiting) > WAITING_MAX:
            self._decide(heappop(self.waiting)[2])

    def _decide(self, entry: StoredBooking) -> None:
        """The next entry in the order in which things were decided."""
        self.past.clock.at_ms = entry.at_ms
        inside = entry.at_ms >= self.span.starts_ms
        kind = entry.kind
        if kind in BOOKINGS:
            self._book(entry, inside=inside)
        elif kind in ("held", "allocated"):
            self._held(entry, inside=inside)
        elif kind == "denied":
            if inside and "extends" not in entry.body:
                self._denied(entry)
        elif kind in ("released", "expired"):
            self.past.end(entry.subject, expired=kind == "expired")
        elif kind == "extended":
            self.past.extend(entry)
        elif kind in POLICY_KINDS:
            if inside:
                self.past.change(entry)
        elif kind == "corrected":
            self._correct(entry, inside=inside)
        self.tally.entries += inside

    def _held(self, entry: StoredBooking, *, inside: bool) -> None:
        self.past.clock.at_ms = made_ms(entry.subject)
        ask = attempt(entry, self.draft, asked=inside)
        if not inside:
            self.past.take(ask, entry)
            return
        outcome = self.past.decide(ask, entry)
        then = entry.body["provider"], entry.body["model"]
        version = outcome.instead
        now = (ask.subject.provider, ask.subject.model)
        if version is not None:
            now = version.provider, version.model
        refused = outcome.error is not None and version is None
        self.tally.held(entry, refused=refused)
        if outcome.error is not None and version is None:
            self.refused.add(entry.subject)
            self.tally.refuse(entry, outcome.error)
        elif now != then:
            self._on_another(entry, ask, outcome)

    def _on_another(self, entry: StoredBooking, ask: Admit, outcome: Outcome) -> None:
        """Another model than the one that was called then."""
        version = outcome.instead
        if version is None:
            version = self.draft.book.find(ask.subject.provider, ask.subject.model)
        if version is not None:
            self.instead[entry.subject] = version
        name = f"{ask.subject.provider}/{ask.subject.model}"
        if outcome.instead is not None:
            name = f"{outcome.instead.provider}/{outcome.instead.model}"
        self.tally.move(entry, outcome.error, name)

    def _denied(self, entry: StoredBooking) -> None:
        self.tally.denied_then += self.tally.counts(entry)
        if entry.subject.startswith("alc_"):
            self.tally.denied_now += self.tally.counts(entry)
            return
        self.past.clock.at_ms = made_ms(entry.subject)
        ask = attempt(entry, self.draft)
        outcome = self.past.decide(ask, entry)
        if outcome.error is not None and outcome.instead is None:
            self.tally.denied_now += self.tally.counts(entry)
            return
        amounts = outcome.amounts or ask.amounts
        self.past.use_up(ask, amounts)
        version = outcome.instead
        became = None if version is None else f"{version.provider}/{version.model}"
        self.tally.let_in(entry, amounts, became)

    def _book(self, entry: StoredBooking, *, inside: bool) -> None:
        """What was used: left out with its hold, at another model's price, or as it was."""
        hold = "" if entry.kind == "recorded" else entry.subject
        refused, usd = hold in self.refused, 0
        if not refused:
            usd = self.draft.booked_usd(entry, self.instead.get(hold))
            posted = self.past.book(entry, usd)
            if posted is not None and entry.body.get("provisional"):
                at = posted.places
                covered = at.covered[0]
                self.provisional[entry.seq] = at.parent_windows if covered else at.windows
        if inside:
            self.tally.book(entry, usd, refused=refused)

    def _correct(self, entry: StoredBooking, *, inside: bool) -> None:
        """A provisional booking got its price, unless a draft or another model priced it."""
        body = entry.body
        windows = self.provisional.pop(body["of"], None)
        usd = int(body["usd"])
        if windows is None:
            usd = 0 if inside and body["holds"] and body["holds"][0] in self.refused else usd
        else:
            for counter in self.past.world.counters(windows):
                counter.use(0, usd)
        if inside:
            self.tally.correct(entry, usd)

    def shown(self, limit: int) -> Replayed:
        """What came of it, once all entries have been seen."""
        while self.waiting:
            self._decide(heappop(self.waiting)[2])
        return self.tally.shown(self.span, limit)
