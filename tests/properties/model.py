"""What the daemon must say, worked out a second time from plain dicts and lists.

Slow and simple where the daemon is fast: nothing is kept that can be added up, so what is held
is always the sum over open holds. It shares no code with the daemon.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from tests.harness.clock import FakeClock
from tests.properties import sums

AXES = ("usd", "tokens", "calls")
Three = tuple[int, int, int]
NONE: Three = (0, 0, 0)
NOTHING = (False, False, False)
SOFT_PRIORITY = 8


@dataclass(frozen=True)
class Rule:
    """A policy. `counting` changes when its counters begin to mean something else."""

    name: str
    component: str | None
    model: str | None
    each: bool
    period: str
    limits: tuple[int | None, int | None, int | None]
    enforce: str = "hard"
    override: tuple[int, Three] | None = None
    unpriced: str = "refuse"
    counting: int = 0
    revision: int = 1

    @property
    def meaning(self) -> tuple[object, ...]:
        return self.component, self.model, self.each, self.period

    @property
    def axes(self) -> list[int]:
        return [axis for axis in range(3) if self.limits[axis] is not None]

    def cap(self, axis: int, priority: int) -> float:
        limit = self.limits[axis]
        if limit is None or self.enforce in ("ignore", "warn"):
            return float("inf")
        if self.enforce == "soft" and priority >= SOFT_PRIORITY:
            return float("inf")
        if self.override is not None and priority >= self.override[0]:
            return limit + self.override[1][axis]
        return limit

    def highest(self, axis: int) -> float:
        return self.cap(axis, 10)


@dataclass(frozen=True)
class Facts:
    """Of a call, what policies look at."""

    component: str
    model: str
    context: str | None = None
    priority: int = 5


class Place(NamedTuple):
    """One window of one policy for one key: where a sum can lie."""

    policy: str
    counting: int
    key: str
    starts: int
    ends: int


class Seat(NamedTuple):
    """A matching rule, the places its limit looks at, the place it would put the call in."""

    rule: Rule
    reach: tuple[Place, ...]
    place: Place | None
    window: tuple[int, int]
    key: str


@dataclass(eq=False)
class Hold:
    """A reservation, or an allocation if `covers` is given."""

    facts: Facts
    model: str
    held: Three
    places: tuple[Place, ...]
    deadline: float
    expires: int
    estimate: dict[str, int]
    covers: tuple[bool, bool, bool] | None = None
    parent: "Hold | None" = None
    covered: tuple[bool, bool, bool] = NOTHING
    id: str = ""
    status: str = "held"
    spent: Three = NONE
    at_end: Three = NONE
    """What it held when it expired, less what came late: the price of a settle without usage."""

    @property
    def open(self) -> bool:
        return self.status == "held"

    def places_of(self, axis: int) -> tuple[Place, ...]:
        if self.covered[axis] and self.parent is not None:
            return self.parent.places
        return self.places


@dataclass
class Verdict:
    """`says`: allowed, warned, denied, unpriced or hold-ended; the figures of a denial."""

    says: str
    figures: dict[str, object] = field(default_factory=dict)
    seats: list[Seat] = field(default_factory=list)

    @property
    def admits(self) -> bool:
        return self.says in ("allowed", "warned")


class Booked(NamedTuple):
    """The end of a settle: its kind, or `hold-ended` and how."""

    kind: str
    status: str
    usd: int = 0
    tokens: int = 0


class Model:
    """Rules, opened windows, holds, and what was used where."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.ledger_ms = 0
        self.rules: dict[str, Rule] = {}
        self.countings = 0
        self.opened: dict[tuple[str, int, str], list[Place]] = defaultdict(list)
        self.holds: list[Hold] = []
        self.used: dict[tuple[Place, int], int] = defaultdict(int)
        self.excess: dict[tuple[Place, int], int] = defaultdict(int)
        """Booked beyond what had been held: overruns, late settles, records."""
        self.caps: dict[tuple[str, int, int], float] = defaultdict(float)
        """How far each limit was ever to be passed, by policy, counting and axis."""

    # Time

    def now(self) -> int:
        """Ledger time; on the way, whatever is overdue expires."""
        self.ledger_ms = max(self.ledger_ms, self.clock.wall_ms)
        self.expire()
        return self.ledger_ms

    def expire(self) -> None:
        for hold in self.open_holds():
            if hold.deadline <= self.clock.monotonic():
                hold.at_end = hold.held
                self.end(hold, "expired")

    def restart(self, last_entry_ms: int) -> None:
        """Of time, a new life knows the wall clock and the last entry."""
        self.ledger_ms = max(last_entry_ms, self.clock.wall_ms)
        self.forget_monotonic_time()

    def forget_monotonic_time(self) -> None:
        for hold in self.open_holds():
            left_s = (hold.expires - self.ledger_ms) / 1000
            hold.deadline = self.clock.monotonic() + left_s

    # Policies

    def set_rule(self, rule: Rule) -> Rule:
        before = self.rules.get(rule.name)
        if before is not None and before.meaning == rule.meaning:
            counting = before.counting
        else:
            self.countings += 1
            counting = self.countings
        revision = 1 if before is None else before.revision + 1
        rule = self.rules[rule.name] = replace(rule, counting=counting, revision=revision)
        for axis in range(3):
            name = (rule.name, counting, axis)
            self.caps[name] = max(self.caps[name], rule.highest(axis))
        return rule

    def sorted_rules(self) -> list[Rule]:
        return [self.rules[name] for name in sorted(self.rules)]

    # Where things stand

    def open_holds(self) -> list[Hold]:
        return sorted((h for h in self.holds if h.open), key=lambda hold: hold.deadline)

    def held_at(self, places: tuple[Place, ...], axis: int) -> int:
        return sum(
            hold.held[axis]
            for hold in self.open_holds()
            for place in hold.places_of(axis)
            if place in places
        )

    def used_at(self, places: tuple[Place, ...], axis: int) -> int:
        return sum(self.used[place, axis] for place in places)

    def reach(self, rule: Rule, key: str) -> tuple[Place, ...]:
        """The open windows that the rule's limit looks at."""
        opened = self.opened[rule.name, rule.counting, key]
        return tuple(place for place in opened if place.ends > self.ledger_ms)

    def seats(self, facts: Facts) -> list[Seat]:
        found = []
        for rule in self.sorted_rules():
            if rule.component not in (None, facts.component):
                continue
            if rule.model not in (None, facts.model):
                continue
            found.append(self.seat(rule, facts))
        return found

    def seat(self, rule: Rule, facts: Facts) -> Seat:
        key = facts.component if rule.each else ""
        here = sums.window(rule.period, self.ledger_ms)
        if rule.period == "per_session":
            if facts.context is None:
                return Seat(rule, (), None, here, "")
            key = f"{key} {facts.context}" if rule.each else facts.context
        reach = self.reach(rule, key)
        if rule.period == "per_session" and reach:
            here = reach[-1][3:]
        shown = reach[0][3:] if reach else here
        return Seat(rule, reach, Place(rule.name, rule.counting, key, *here), shown, key)

    def standings(self, facts: Facts, alone: Three = NONE) -> list[tuple[object, ...]]:
        """Every limit a call falls under. `alone`: what it holds where it is its own session."""
        rows: list[tuple[object, ...]] = []
        for rule, reach, place, window, _ in self.seats(facts):
            for axis in rule.axes:
                held = self.held_at(reach, axis) if place else alone[axis]
                figures = self.figures(rule, axis, self.used_at(reach, axis), held)
                rows.append((rule.name, AXES[axis], *figures, *shown(window)))
        return rows

    def figures(self, rule: Rule, axis: int, used: int, held: int) -> tuple[str | int, ...]:
        limit = rule.limits[axis]
        assert limit is not None
        return tuple(sums.told(axis, n) for n in (limit, used, held, limit - used - held))

    def balances(self) -> list[tuple[object, ...]]:
        """What `balances` lists: every policy, key and axis with an open window."""
        rows: dict[str, tuple[object, ...]] = {}
        for name, counting, key in list(self.opened):
            rule = self.rules.get(name)
            if rule is None or rule.counting != counting:
                continue
            reach = self.reach(rule, key)
            for axis in rule.axes if reach else ():
                used, held = self.used_at(reach, axis), self.held_at(reach, axis)
                figures = self.figures(rule, axis, used, held)
                row = (name, key or None, AXES[axis], *figures, *shown(reach[0][3:]))
                rows[f"{name} {key} {axis}"] = row
        return [rows[place] for place in sorted(rows)]

    # Decisions

    def weigh(
        self, facts: Facts, amounts: Three, *, priced: bool = True, parent: Hold | None = None
    ) -> Verdict:
        """May this be held now? Holds nothing."""
        self.now()
        seats = self.seats(facts)
        covered = NOTHING
        if parent is not None:
            refusal = self.allocation_refuses(parent, facts.component, amounts)
            if refusal is not None:
                return refusal
            covered = parent.covers or NOTHING
        if not priced and any(refuses_unpriced(seat.rule) for seat in seats):
            return Verdict("unpriced")
        verdict = self.judge(seats, without(amounts, covered), facts.priority)
        verdict.seats = seats
        return verdict

    def judge(self, seats: list[Seat], own: Three, priority: int) -> Verdict:
        """Of several refusals the one that lasts longest is told; of those the first."""
        refusals: list[tuple[int, dict[str, object]]] = []
        warned = False
        for rule, reach, _, window, key in seats:
            for axis in rule.axes:
                used, held = self.used_at(reach, axis), self.held_at(reach, axis)
                level, limit = used + held + own[axis], rule.limits[axis]
                assert limit is not None
                if own[axis] and level > rule.cap(axis, priority):
                    names = ("limit", "used", "held", "left")
                    figures = dict(zip(names, self.figures(rule, axis, used, held), strict=True))
                    figures |= {"policy": rule.name, "axis": AXES[axis], "key": key or None}
                    figures |= {"asked": sums.told(axis, own[axis])}
                    refusals.append((window[1], figures | {"resets_at": sums.ends(window[1])}))
                elif rule.enforce != "ignore" and (level * 10 >= limit * 8 or level > limit):
                    warned = True
        if refusals:
            return Verdict("denied", max(refusals, key=lambda refusal: refusal[0])[1])
        return Verdict("warned" if warned else "allowed")

    def allocation_refuses(self, parent: Hold, component: str, amounts: Three) -> Verdict | None:
        if not parent.open or parent.facts.component != component:
            return Verdict("hold-ended")
        assert parent.covers is not None
        for axis in range(3):
            left = parent.held[axis]
            if parent.covers[axis] and amounts[axis] > left:
                figures = {"policy": f"allocation:{parent.id}", "axis": AXES[axis]}
                return Verdict("denied", figures | {"left": sums.told(axis, left)})
        return None

    # Holds

    def hold(self, new: Hold, verdict: Verdict) -> Hold:
        """Put it where it was weighed; a draw's covered axes come out of its allocation."""
        new.places = self.open_windows(verdict.seats)
        if new.parent is not None:
            new.covered = new.parent.covers or NOTHING
            new.parent.held = less(new.parent.held, without(new.held, inverse(new.covered)))
        self.holds.append(new)
        return new

    def open_windows(self, seats: list[Seat]) -> tuple[Place, ...]:
        places = tuple(seat.place for seat in seats if seat.place is not None)
        for place in places:
            self.open_window(place)
        return places

    def open_window(self, place: Place) -> None:
        opened = self.opened[place[:3]]
        if place not in opened:
            opened.append(place)

    def adopt(self, body: dict[str, Any]) -> None:
        """A window that was opened for a call which then was lost with the power."""
        rule = self.rules[body["policy"]]
        window = sums.window(rule.period, body["starts_ms"])
        assert (body["starts_ms"], body["ends_ms"]) == window
        self.open_window(Place(rule.name, rule.counting, body["key"], *window))

    def end(self, hold: Hold, status: str) -> None:
        """Give everything back: covered axes to the allocation, if it still lives."""
        if hold.parent is not None and hold.parent.open:
            back = without(hold.held, inverse(hold.covered))
            hold.parent.held = plus(hold.parent.held, back)
        hold.status, hold.held = status, NONE

    def release(self, hold: Hold) -> str:
        """What it was before: held, or it had ended."""
        self.now()
        was = hold.status
        if hold.open:
            self.end(hold, "released")
        return was

    def extend(self, hold: Hold, more: Three, ttl_s: int | None) -> Verdict:
        """Larger by what its own windows and its allocation still have; longer from now."""
        self.now()
        if not hold.open:
            return Verdict("hold-ended")
        parent = hold.parent
        from_parent = without(more, inverse(hold.covered))
        if parent is not None and any(from_parent):
            refusal = self.allocation_refuses(parent, hold.facts.component, more)
            if refusal is not None:
                return refusal
        verdict = self.judge(self.seats_of(hold), without(more, hold.covered), hold.facts.priority)
        if not verdict.admits:
            return verdict
        hold.held = plus(hold.held, more)
        if parent is not None and parent.open:
            parent.held = less(parent.held, from_parent)
        if ttl_s is not None:
            hold.expires = self.ledger_ms + ttl_s * 1000
            hold.deadline = self.clock.monotonic() + ttl_s
        return verdict

    def seats_of(self, hold: Hold) -> list[Seat]:
        """The windows it sits in, closed or not, as far as their policies still mean the same."""
        found = []
        for place in hold.places:
            rule = self.rules.get(place.policy)
            if rule is None or rule.counting != place.counting:
                continue
            reach: tuple[Place, ...] = (place,)
            if rule.period == "rolling:1h" and place.ends > self.ledger_ms:
                reach = self.reach(rule, place.key)
            found.append(Seat(rule, reach, place, reach[0][3:], place.key))
        return found

    # Bookings

    def settle(self, hold: Hold, usage: dict[str, int], *, final: bool) -> Booked:
        """Book in the windows of the reserve; without usage, what is held."""
        self.now()
        late = hold.status == "expired"
        if not hold.open and not late:
            return Booked("hold-ended", hold.status)
        at_hold = hold.at_end if late else hold.held
        nanos, tokens = at_hold[:2]
        if usage:
            nanos, tokens = sums.nanos_nearest(hold.model, usage), sum(usage.values())
        amounts = (nanos, tokens, int(final))
        kind = "late" if late else "settled"
        if not late and (nanos > hold.held[0] or tokens > hold.held[1]):
            kind = "overrun"
        for axis, amount in enumerate(amounts):
            self.book(hold, axis, amount)
        hold.spent = plus(hold.spent, amounts)
        hold.at_end = less(hold.at_end, amounts)
        if final:
            self.end(hold, "settled")
        return Booked(kind, hold.status, nanos, tokens)

    def book(self, hold: Hold, axis: int, amount: int) -> None:
        """Out of the hold, then out of its allocation, then beyond."""
        freed = min(amount, hold.held[axis])
        hold.held = at(hold.held, axis, hold.held[axis] - freed)
        beyond = amount - freed
        parent = hold.parent
        if parent is not None and parent.open:
            parent.spent = at(parent.spent, axis, parent.spent[axis] + amount)
            if hold.covered[axis]:
                beyond -= self.draw(parent, axis, beyond)
        self.use(hold.places_of(axis), axis, amount, beyond)

    def draw(self, allocation: Hold, axis: int, amount: int) -> int:
        """As much of it as is there."""
        taken = min(amount, allocation.held[axis])
        allocation.held = at(allocation.held, axis, allocation.held[axis] - taken)
        return taken

    def use(self, places: tuple[Place, ...], axis: int, amount: int, beyond: int) -> None:
        for place in places:
            self.used[place, axis] += amount
            self.excess[place, axis] += beyond

    def record(self, facts: Facts, usage: dict[str, int], parent: Hold | None) -> Booked:
        """Nobody held for it: out of its allocation where covered, else in the windows of now."""
        self.now()
        places = self.open_windows(self.seats(facts))
        if parent is not None and not (parent.open and parent.facts.component == facts.component):
            parent = None
        covers = parent.covers or NOTHING if parent is not None else NOTHING
        amounts = (sums.nanos_nearest(facts.model, usage), sum(usage.values()), 1)
        overrun = False
        for axis, amount in enumerate(amounts):
            if parent is None or not covers[axis]:
                self.use(places, axis, amount, amount)
                continue
            beyond = amount - self.draw(parent, axis, amount)
            overrun = overrun or beyond > 0
            self.use(parent.places, axis, amount, beyond)
        if parent is not None:
            parent.spent = plus(parent.spent, amounts)
        return Booked("overrun" if overrun else "settled", "settled", *amounts[:2])


def refuses_unpriced(rule: Rule) -> bool:
    enforces = rule.enforce in ("soft", "hard")
    return enforces and rule.limits[0] is not None and rule.unpriced == "refuse"


def shown(window: tuple[int, int]) -> tuple[str, str | None]:
    return sums.time(window[0]), sums.ends(window[1])


def without(amounts: Three, covered: tuple[bool, bool, bool]) -> Three:
    usd, tokens, calls = (0 if covered[axis] else amounts[axis] for axis in range(3))
    return usd, tokens, calls


def inverse(covered: tuple[bool, bool, bool]) -> tuple[bool, bool, bool]:
    return not covered[0], not covered[1], not covered[2]


def plus(one: Three, other: Three) -> Three:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def less(one: Three, other: Three) -> Three:
    """Never below nothing."""
    return max(0, one[0] - other[0]), max(0, one[1] - other[1]), max(0, one[2] - other[2])


def at(amounts: Three, axis: int, amount: int) -> Three:
    usd, tokens, calls = (amount if axis == n else amounts[n] for n in range(3))
    return usd, tokens, calls
