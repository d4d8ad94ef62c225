"""All rules, and which of them a call falls under."""

from heapq import heappop, heappush
from typing import NamedTuple

from actors.policy.counter import Charge, Counter, Meter, Rolling
from actors.policy.crowd import Crowd
from actors.policy.plan import Plan
from actors.policy.rule import Rule
from protocols.period import FOREVER_MS
from protocols.policy.charge import Subject

CACHE_MAX = 4096
HELD_MS = 60_000
"""When to look again at a closed window that still holds something."""
CROWDS_MAX = 256


class Seat(NamedTuple):
    """A matching rule, the meter its limit is compared with, the counter that would be charged.

    A counter numbered 0 is not open yet.
    """

    rule: Rule
    meter: Meter
    counter: Counter

    @property
    def until_ms(self) -> int:
        """When another counter must be charged, or the meter's sum changes by itself."""
        ends_ms = self.counter.window.ends_ms
        if isinstance(self.meter, Rolling):
            oldest = self.meter.buckets[0]
            return min(oldest.window.ends_ms, ends_ms - self.meter.length_ms)
        return ends_ms


class Rulebook:
    """Matching costs one look-up for a kind of call seen before, however many rules there are."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}
        self.counters: dict[int, Counter] = {}
        """Every numbered counter that a charge or a rule still refers to."""
        self._closing: list[tuple[int, int]] = []
        """A heap: when each of them may be let go, and its number."""
        self._plain: dict[tuple[str, ...], tuple[Rule, ...]] = {}
        self._plans: dict[Subject, Plan] = {}
        self._tagged: tuple[Rule, ...] = ()
        self._callers: dict[tuple[str, str], tuple[Rule, ...]] = {}
        self._crowds: dict[tuple[Rule, ...], Crowd] = {}

    def put(self, rule: Rule) -> None:
        self.rules[rule.name] = rule
        self.rules = dict(sorted(self.rules.items()))
        self._changed()

    def remove(self, name: str) -> None:
        del self.rules[name]
        self._changed()

    def _changed(self) -> None:
        self._plain.clear()
        self._plans.clear()
        self._callers.clear()
        self._crowds.clear()
        self._tagged = tuple(rule for rule in self.rules.values() if rule.tagged)

    def matching(self, subject: Subject) -> tuple[Rule, ...]:
        kind = subject[:5]
        rules = self._plain.get(kind)
        if rules is None:
            if len(self._plain) >= CACHE_MAX:
                self._plain.clear()
            rules = self._plain[kind] = tuple(
                rule for rule in self.rules.values() if not rule.tagged and rule.matches(subject)
            )
        if self._tagged:
            rules += tuple(rule for rule in self._tagged if rule.matches(subject))
        return rules

    def plan(self, subject: Subject, now_ms: int) -> Plan | None:
        """Where calls of this subject sit, if one was seen before and no window has ended since."""
        plan = self._plans.get(subject)
        return plan if plan is not None and now_ms < plan.until_ms else None

    def crowd(self, subject: Subject) -> Crowd:
        """The rules that fit the call, whichever model serves it."""
        caller = (subject.component, subject.task_type)
        rules = self._callers.get(caller)
        if rules is None:
            if len(self._callers) >= CACHE_MAX:
                self._callers.clear()
            rules = self._callers[caller] = tuple(
                rule
                for rule in self.rules.values()
                if not rule.tagged and rule.matches.fits_caller(subject)
            )
        if self._tagged:
            rules += tuple(rule for rule in self._tagged if rule.matches.fits_caller(subject))
        crowd = self._crowds.get(rules)
        if crowd is None:
            if len(self._crowds) >= CROWDS_MAX:
                self._crowds.clear()
            crowd = self._crowds[rules] = Crowd(rules)
        return crowd

    def seats(self, subject: Subject, now_ms: int) -> tuple[Seat, ...]:
        """The same until a window ends, if all counters are open: then one look-up finds them."""
        plan = self.plan(subject, now_ms)
        if plan is not None:
            return plan.seats
        seats = tuple([self.seat(rule, subject, now_ms) for rule in self.matching(subject)])
        if all(seat.counter.id for seat in seats):
            if len(self._plans) >= CACHE_MAX:
                self._plans.clear()
            until_ms = min((seat.until_ms for seat in seats), default=FOREVER_MS)
            self._plans[subject] = Plan(seats, until_ms)
        return seats

    def seat(self, rule: Rule, subject: Subject, now_ms: int) -> Seat:
        key = rule.key_of(subject)
        counter = None if key is None else rule.current(key, now_ms)
        if counter is not None:
            return Seat(rule, counter.meter, counter)
        counter = rule.next(key, now_ms)
        rolling = rule.meters.get(counter.key) if key is not None else None
        if isinstance(rolling, Rolling) and rolling.buckets:
            return Seat(rule, rolling, counter)
        return Seat(rule, counter, counter)

    def meters(self, charge: Charge, now_ms: int) -> list[tuple[Rule, Meter]]:
        """What may stop a hold from growing: its own windows, where their policies still mean
        the same.
        """
        found = []
        for counter in charge.counters:
            rule = self.rules.get(counter.policy)
            if rule is not None and rule.counting == counter.counting:
                if counter.rolling is not None:
                    counter.rolling.advance(now_ms)
                found.append((rule, counter.meter))
        return found

    def open(self, rule: Rule, counter: Counter, number: int) -> None:
        """Number a counter and let its rule charge it from now on."""
        counter.id = number
        self._keep(counter)
        rule.attach(counter)

    def restore(self, counter: Counter) -> None:
        """A counter read back from the journal; its rule charges it if it still means the same."""
        self._keep(counter)
        rule = self.rules.get(counter.policy)
        if rule is not None and rule.counting == counter.counting:
            rule.attach(counter)

    def forget(self, now_ms: int) -> None:
        """Let go of counters whose window has closed and that hold nothing. It looks at no others:
        there may be hundreds of thousands of sessions.
        """
        while self._closing and self._closing[0][0] <= now_ms:
            _, number = heappop(self._closing)
            counter = self.counters[number]
            rule = self.rules.get(counter.policy)
            if rule is not None:
                rule.detach(counter, now_ms)
            if counter.idle:
                del self.counters[number]
            else:
                heappush(self._closing, (now_ms + HELD_MS, number))

    def _keep(self, counter: Counter) -> None:
        self.counters[counter.id] = counter
        heappush(self._closing, (counter.window.ends_ms, counter.id))
