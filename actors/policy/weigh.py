"""What would be said to a call, and why. Changes nothing."""

from actors.policy import decide, places, remedy
from actors.policy.bench import Benches
from actors.policy.counter import Charge
from actors.policy.hoard import hoards
from actors.policy.world import World
from protocols.errors import BudgetError, Denied, HoldEnded, Unpriced
from protocols.policy.charge import (
    ALLOCATION,
    AXES,
    NOTHING,
    Admit,
    Amounts,
    Enlarge,
    Subject,
    Weighed,
)
from protocols.prices import PriceVersion
from protocols.tiers import tier_of


def weigh(world: World, ask: Admit, *, explain: bool) -> Weighed:
    """The answer to `Check` and `Explain`, for the ledger to dress. To explain is to look at every
    policy, also those that do not match.
    """
    subject, priority = ask.subject, ask.priority
    seats = world.rules.seats(subject, world.time.now_ms())
    parent = world.charges.get(ask.parent)
    covered = parent.covers or NOTHING if parent is not None else NOTHING
    own = places.uncovered(ask.amounts, covered)
    pairs = [(seat.rule, seat.meter) for seat in seats]
    verdict = decide.judge(pairs, own, priority)
    error = refusal(world, ask, pairs, parent, verdict)
    rules = world.rules.rules.values() if explain else ()
    considered = decide.consider(rules, pairs, subject, own, priority)
    return Weighed(
        decide.written(pairs), verdict.warnings, error, considered, ask.memo, verdict.downgrade
    )


def refusal(
    world: World,
    ask: Admit,
    seats: list[decide.Seat],
    parent: Charge | None,
    verdict: decide.Verdict,
) -> BudgetError | None:
    """Why this call may not be held; None if it may. The limits have been judged already."""
    barred = barrier(world, ask, seats, parent)
    if barred is not None:
        return barred
    if verdict.refusal is None:
        return None
    covered = parent.covers or NOTHING if parent is not None else NOTHING
    own = places.uncovered(ask.amounts, covered)
    left = decide.room(seats, ask.priority)
    if parent is not None:
        left = Amounts(*(parent.held[i] if covered[i] else left[i] for i in range(3)))
    remedies = {"fits": _fits(ask, left), "cheaper": _cheaper(world, ask, left)}
    return decide.denied(verdict.refusal, own, ask.subject, **remedies)


def barrier(
    world: World, ask: Admit, seats: list[decide.Seat], parent: Charge | None
) -> BudgetError | None:
    """What refuses a call before any limit is looked at: its allocation, having no price, or
    that its component holds too much already.
    """
    if ask.parent is not None:
        refused = _allocation_refuses(ask.parent, parent, ask.amounts, ask.subject)
        if refused is not None:
            return refused
    if not ask.priced:
        refusing = [rule.name for rule, _ in seats if rule.refuses_unpriced]
        if refusing:
            return _unpriced(ask, refusing)
    covered = parent.covers or NOTHING if parent is not None else NOTHING
    return hoards(world, ask.subject.component, seats, places.uncovered(ask.amounts, covered))


def refusal_to_enlarge(
    world: World, ask: Enlarge, charge: Charge, parent: Charge | None
) -> BudgetError | None:
    """A hold grows only by what its own windows and its allocation still have."""
    subject = Subject(charge.component, "", "", "", "")
    if charge.parent is not None and any(
        charge.covered[axis] and ask.amounts[axis] for axis in range(3)
    ):
        refused = _allocation_refuses(charge.parent, parent, ask.amounts, subject)
        if refused is not None:
            return refused
    pairs = world.rules.meters(charge, world.time.now_ms())
    own = places.uncovered(ask.amounts, charge.covered)
    verdict = decide.judge(pairs, own, ask.priority)
    if verdict.refusal is None:
        return hoards(world, charge.component, pairs, own)
    return decide.denied(verdict.refusal, own, subject, fits=None, cheaper=[])


def _allocation_refuses(
    name: str, parent: Charge | None, amounts: Amounts, subject: Subject
) -> BudgetError | None:
    if parent is None or parent.covers is None or parent.component != subject.component:
        return HoldEnded(
            f"allocation {name} has ended or is not one of {subject.component}",
            hint="allocate again, or leave allocation_id out",
        )
    for axis in range(3):
        if parent.covers[axis] and amounts[axis] > parent.held[axis]:
            return _allocation_spent(parent, axis, amounts[axis], subject)
    return None


def _allocation_spent(parent: Charge, axis: int, asked: int, subject: Subject) -> Denied:
    left = parent.held[axis]
    return Denied(
        f"cannot hold {decide.amount(axis, asked)} for {subject.component}: allocation "
        f"{parent.hold} has {decide.amount(axis, left)} left",
        hint="ask for less, or extend the allocation",
        policy=ALLOCATION + parent.hold, budget=None, key=None, axis=AXES[axis],
        asked=decide.figure(axis, asked), limit=decide.figure(axis, left),
        used=decide.figure(axis, 0), held=decide.figure(axis, 0),
        left=decide.figure(axis, left), resets_at=None, fits=None, cheaper=[],
    )  # fmt: skip


def _unpriced(ask: Admit, refusing: list[str]) -> Unpriced:
    name = f"{ask.subject.provider}/{ask.subject.model}"
    return Unpriced(
        f"no trusted price for {name}, and {', '.join(refusing)} limits dollars",
        hint='check the model\'s name, give "usd" yourself, or set unpriced = "envelope"',
        policies=refusing,
    )


def _fits(ask: Admit, left: Amounts) -> dict[str, int] | None:
    if ask.estimate is None or ask.version is None:
        return None
    return remedy.fits(left, ask.estimate, ask.version)


def _cheaper(world: World, ask: Admit, left: Amounts) -> list[dict[str, str]]:
    if ask.estimate is None or ask.version is None:
        return []

    benches = Benches(world.rules, ask.subject, ask.priority, world.time.now_ms())

    def admitted(rival: PriceVersion, amounts: Amounts) -> bool:
        tier = tier_of(ask.subject.component, rival.provider, rival.model, world.tiers)
        return benches.of((rival.provider, rival.model, tier)).refusal(amounts) is None

    rivals = world.rivals(ask.version, ask.estimate, left.usd)
    return remedy.cheaper(rivals, ask.estimate.tokens, admitted)
