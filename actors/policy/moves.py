"""The moves of the policy engine: hold, choose, book, give back, enlarge.

Each is one step on a world: it looks at every limit, then changes every counter, or nothing. The
living engine and a replay of the past make the same moves.
"""

from collections.abc import Sequence

from actors.policy import choose as choosing
from actors.policy import decide, places, policies, weigh
from actors.policy.counter import Charge
from actors.policy.crossing import crossings
from actors.policy.plan import Plan
from actors.policy.rulebook import Seat
from actors.policy.world import World
from protocols.errors import HoldEnded
from protocols.policy.charge import (
    NOTHING,
    Admit,
    Admitted,
    Amounts,
    Covers,
    Enlarge,
    Enlarged,
    Places,
    Post,
    Posted,
    Refused,
    Return,
    Returned,
)
from protocols.policy.choice import Choose, Chosen
from protocols.policy.standing import Standings


def admit(world: World, ask: Admit) -> Admitted | Refused:
    """Hold in every matching window and in the allocation, or nowhere."""
    now_ms = world.time.now_ms()
    plan = world.rules.plan(ask.subject, now_ms)
    if plan is not None and ask.parent is None and ask.priced and not plan.hoards:
        figures = plan.quiet(ask.amounts)
        if figures is not None:
            return _hold_quietly(world, ask, plan, figures)
    seats = world.rules.seats(ask.subject, now_ms)
    parent = world.charges.get(ask.parent)
    covered = parent.covers or NOTHING if parent is not None else NOTHING
    own = places.uncovered(ask.amounts, covered)
    pairs = [(rule, meter) for rule, meter, _ in seats]
    verdict = decide.judge(pairs, own, ask.priority)
    refusal = weigh.refusal(world, ask, pairs, parent, verdict)
    if refusal is not None:
        return Refused(refusal, ask.memo, verdict.downgrade, world.turn())
    return hold(world, ask, seats, parent, verdict)


def _hold_quietly(world: World, ask: Admit, plan: Plan, figures: Standings) -> Admitted:
    """No limit is near, and no allocation gives anything: add it to every counter."""
    usd, tokens, calls = ask.amounts
    for held in plan.held:
        held[0] += usd
        held[1] += tokens
        held[2] += calls
    deadline = world.time.monotonic() + ask.ttl_s
    charge = Charge(
        ask.hold, ask.subject.component, plan.counters, ask.amounts, deadline,
        covers=ask.covers, windows=plan.windows,
    )  # fmt: skip
    world.charges.add(charge)
    return Admitted(Places(plan.windows, turn=world.turn()), figures, [], ask.memo, deadline)


def choose(world: World, ask: Choose) -> Chosen:
    """Weigh the options in their order, and hold the one that is taken."""
    place, weighings = choosing.choose(world, ask)
    admitted = None
    if place is not None and ask.take:
        taken = ask.admit(place)
        seats = world.rules.seats(taken.subject, world.time.now_ms())
        parent = world.charges.get(taken.parent)
        covered = parent.covers or NOTHING if parent is not None else NOTHING
        own = places.uncovered(taken.amounts, covered)
        pairs = [(rule, meter) for rule, meter, _ in seats]
        verdict = decide.judge(pairs, own, taken.priority)
        admitted = hold(world, taken, seats, parent, verdict)
    return Chosen(place, weighings, admitted, ask.memo, world.turn())


def hold(
    world: World, ask: Admit, seats: Sequence[Seat], parent: Charge | None, verdict: decide.Verdict
) -> Admitted:
    """It was judged in this very step: add it to every counter."""
    covered = parent.covers or NOTHING if parent is not None else NOTHING
    open_counters(world, seats)
    charge = _take(world, ask, seats, covered, parent)
    figures = decide.written([(rule, counter.meter) for rule, _, counter in seats])
    seated = places.of(charge, parent)
    found = Admitted(seated, figures, verdict.warnings, ask.memo, charge.deadline)
    found.places.turn = world.turn()
    if verdict.near:
        found.crossed = crossings([(rule, counter) for rule, _, counter in seats])
    return found


def _take(
    world: World, ask: Admit, seats: Sequence[Seat], covered: Covers, parent: Charge | None
) -> Charge:
    charge = Charge(
        ask.hold,
        ask.subject.component,
        tuple([counter for _, _, counter in seats if counter.id]),
        Amounts(),
        world.time.monotonic() + ask.ttl_s,
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
    world.charges.add(charge)
    return charge


def open_counters(world: World, seats: Sequence[Seat]) -> None:
    """Number the counters that are charged for the first time; they are to be written down."""
    for rule, _, counter in seats:
        if counter.id == 0 and (not rule.scoped or counter.key):
            world.rules.open(rule, counter, world.number())
            world.opened.append(policies.window_opened(rule, counter))


def post(world: World, ask: Post) -> Posted:
    """Book in the hold's windows, or, without a hold, in those of now. Never refused."""
    charge = world.charges.get(ask.hold)
    if charge is not None:
        posted = places.settle(world, charge, ask)
    elif ask.hold is not None:
        posted = places.settle_late(world, ask)
    else:
        return record(world, ask, world.rules.seats(ask.subject, world.time.now_ms()))
    posted.places.turn = world.turn()
    if posted.kind != "settled":  # else it took what was held, or less
        _cross(world, posted)
    return posted


def record(world: World, ask: Post, seats: Sequence[Seat]) -> Posted:
    """Book in the windows of these seats what nobody held for."""
    open_counters(world, seats)
    counters = tuple(seat.counter for seat in seats if seat.counter.id)
    posted = places.record(world, counters, ask)
    posted.places.turn = world.turn()
    _cross(world, posted)
    return posted


def _cross(world: World, posted: Posted) -> None:
    at = posted.places
    posted.crossed = world.crossed((*at.windows, *at.parent_windows))


def give_back(world: World, ask: Return) -> Returned | Refused:
    charge = world.charges.get(ask.hold)
    if charge is None:
        return Refused(expired(ask.hold), ask.memo)
    world.charges.remove(charge)
    parent = places.hand_back(world, charge)
    found = Returned(places.of(charge, parent), ask.memo)
    found.places.turn = world.turn()
    return found


def enlarge(world: World, ask: Enlarge) -> Enlarged | Refused:
    charge = world.charges.get(ask.hold)
    if charge is None:
        return Refused(expired(ask.hold), ask.memo)
    parent = world.charges.get(charge.parent)
    refusal = weigh.refusal_to_enlarge(world, ask, charge, parent)
    if refusal is not None:
        return Refused(refusal, ask.memo, turn=world.turn())
    for axis, amount in enumerate(ask.amounts):
        if charge.covered[axis] and parent is not None:
            parent.take(axis, -amount)
        charge.take(axis, amount)
    if ask.ttl_s is not None:
        world.charges.prolong(charge, world.time.monotonic() + ask.ttl_s)
    crossed = world.crossed(charge.windows)
    at = places.of(charge, parent)
    at.turn = world.turn()
    return Enlarged(Amounts(*charge.held), at, ask.memo, crossed)


def expired(hold: str) -> HoldEnded:
    return HoldEnded(f"{hold} has expired", hint="reserve again", ended="expired")
