"""Who holds too large a share of a limit: one component must not starve the others by holding."""

from collections.abc import Iterable

from actors.policy import decide
from actors.policy.counter import Meter
from actors.policy.rule import Rule, millionths
from actors.policy.world import World
from protocols.errors import Denied
from protocols.policy.charge import AXES, Amounts


def hoards(
    world: World, component: str, seats: Iterable[decide.Seat], amounts: Amounts
) -> Denied | None:
    """The refusal, if with these amounts the component would hold more than its share."""
    for rule, meter in seats:
        share = rule.policy.hold_share
        if share is None or not rule.enforces:
            continue
        for axis in rule.axes:
            most = rule.limits[axis] * millionths(share) // 1_000_000
            # What all hold together is known; whose it is has to be counted only beyond that.
            if not amounts[axis] or meter.held[axis] + amounts[axis] <= most:
                continue
            held = held_by(world, component, meter, axis)
            if held + amounts[axis] > most:
                return _refusal(rule, component, axis, amounts[axis], most, held)
    return None


def held_by(world: World, component: str, meter: Meter, axis: int) -> int:
    return sum(
        charge.held[axis]
        for charge in world.charges.of(component)
        if any(counter.meter is meter for counter in charge.counters_of(axis))
    )


def _refusal(rule: Rule, component: str, axis: int, asked: int, most: int, held: int) -> Denied:
    return Denied(
        f"cannot hold {decide.amount(axis, asked)} for {component}: it holds "
        f"{decide.amount(axis, held)} of {rule.name} already, and one component may hold "
        f"{decide.amount(axis, most)} at once",
        hint="settle or release what is held, ask for less, or raise the policy's hold_share",
        policy=rule.name, budget=rule.policy.budget, key=None, axis=AXES[axis],
        asked=decide.figure(axis, asked), limit=decide.figure(axis, most),
        used=decide.figure(axis, 0), held=decide.figure(axis, held),
        left=decide.figure(axis, most - held), resets_at=None, fits=None, cheaper=[],
    )  # fmt: skip
