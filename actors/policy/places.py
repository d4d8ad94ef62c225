"""How charges move: settled, drawn, given back, expired. Plain functions on counters."""

from collections.abc import Iterator

from actors.policy.counter import Charge, Counter
from actors.policy.world import World
from protocols.policy.charge import (
    NOTHING,
    Amounts,
    Covers,
    Lapsed,
    Places,
    Post,
    Posted,
)


def of(charge: Charge, parent: Charge | None) -> Places:
    """Where a charge sits now, and what its allocation still holds."""
    return Places(
        windows=charge.windows,
        parent=charge.parent,
        parent_windows=tuple(counter.id for counter in charge.parent_counters),
        covered=charge.covered,
        parent_held=None if parent is None else Amounts(*parent.held),
    )


def uncovered(amounts: Amounts, covered: Covers) -> Amounts:
    """What does not come out of the allocation."""
    if covered == NOTHING:
        return amounts
    return Amounts(*(0 if covered[i] else amount for i, amount in enumerate(amounts)))


def settle(world: World, charge: Charge, ask: Post) -> Posted:
    """Use what was used, give back the rest; a part keeps what is left of the hold."""
    parent = world.charges.get(charge.parent)
    used, held = ask.amounts, charge.held
    over = used[0] > held[0] or used[1] > held[1]
    if ask.final and charge.covered == NOTHING:
        charge.settle_all(used)
    else:
        _settle_axes(charge, parent, ask)
    if ask.final:
        world.charges.remove(charge)
    kind = "overrun" if over else "settled"
    return Posted(kind, of(charge, parent), Amounts(*charge.held), ask.memo)  # type: ignore[arg-type]


def _settle_axes(charge: Charge, parent: Charge | None, ask: Post) -> None:
    """Axis by axis: some of it sits in the allocation, or a part of it stays held."""
    for axis, used in enumerate(ask.amounts):
        for counter in charge.counters_of(axis):
            counter.use(axis, used)
        freed = charge.drop(axis) if ask.final else _shrink(charge, axis, used)
        if charge.covered[axis] and parent is not None:
            _return_rest(parent, axis, freed, used)


def _shrink(charge: Charge, axis: int, used: int) -> int:
    freed = min(used, charge.held[axis])
    charge.take(axis, -freed)
    return freed


def _return_rest(parent: Charge, axis: int, freed: int, used: int) -> None:
    """What the draw did not use goes back to the allocation; what it used beyond comes out."""
    if freed > used:
        parent.take(axis, freed - used)
    else:
        parent.take(axis, -min(used - freed, parent.held[axis]))


def settle_late(world: World, ask: Post) -> Posted:
    """The hold expired before: book in its windows all the same."""
    at = ask.places
    parent = world.charges.get(at.parent)
    own = world.counters(at.windows)
    parents = world.counters(at.parent_windows)
    for axis, used in enumerate(ask.amounts):
        for counter in parents if at.covered[axis] else own:
            counter.use(axis, used)
        if at.covered[axis] and parent is not None:
            _return_rest(parent, axis, 0, used)
    if parent is not None:
        at.parent_held = Amounts(*parent.held)
    return Posted("late", at, Amounts(), ask.memo)


def record(world: World, counters: tuple[Counter, ...], ask: Post) -> Posted:
    """Usage without a hold of its own: out of its allocation where that covers it."""
    parent = world.charges.get(ask.places.parent)
    if parent is not None and parent.component != ask.subject.component:
        parent = None
    covered = parent.covers or NOTHING if parent is not None else NOTHING
    over = False
    for axis, used in enumerate(ask.amounts):
        if parent is not None and covered[axis]:
            over = over or used > parent.held[axis]
            parent.take(axis, -min(used, parent.held[axis]))
            for counter in parent.counters:
                counter.use(axis, used)
        else:
            for counter in counters:
                counter.use(axis, used)
    at = Places(
        windows=tuple(counter.id for counter in counters),
        parent=None if parent is None else parent.hold,
        parent_windows=() if parent is None else tuple(c.id for c in parent.counters),
        covered=covered,
        parent_held=None if parent is None else Amounts(*parent.held),
    )
    return Posted("overrun" if over else "settled", at, Amounts(), ask.memo)


def hand_back(world: World, charge: Charge) -> Charge | None:
    """Free everything; covered axes go back to the allocation, if it still lives."""
    parent = world.charges.get(charge.parent)
    for axis in range(3):
        freed = charge.drop(axis)
        if charge.covered[axis] and parent is not None:
            parent.take(axis, freed)
    return parent


def overdue(world: World) -> Iterator[tuple[str, Lapsed]]:
    """Free every charge whose deadline has passed: (component, what its ledger must know)."""
    for charge in world.charges.overdue(world.time.monotonic()):
        at = of(charge, hand_back(world, charge))
        at.turn = world.turn()
        yield charge.component, Lapsed(charge.hold, at)
