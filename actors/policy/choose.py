"""The choice among several models: each is weighed against every limit. Changes nothing."""

from actors.policy import decide, places, weigh
from actors.policy.world import World
from protocols.policy.charge import NOTHING, Admit, Amounts
from protocols.policy.choice import Choose, Weighing


def choose(world: World, ask: Choose) -> tuple[int | None, list[Weighing | None]]:
    """The first option that fits; if none does, the first that may pass the limit it meets.

    So a soft limit that a call may pass steers it to a cheaper model before it is passed.
    """
    if ask.downgrade and ask.options:
        asked = weighed(world, ask.options[0].admit)
        if asked.verdict != "refused" or not asked.downgrade:
            return (0 if asked.verdict != "refused" else None), [asked]
    weighings: list[Weighing | None] = []
    fits: int | None = None
    beyond: int | None = None
    for place, option in enumerate(ask.options):
        found = None if option.barred else weighed(world, option.admit)
        weighings.append(found)
        if found is None:
            continue
        if found.verdict == "fits" and fits is None:
            fits = place
            if not ask.every:
                break
        elif found.verdict == "past_limit" and beyond is None:
            beyond = place
    return (beyond if fits is None else fits), weighings


def weighed(world: World, ask: Admit) -> Weighing:
    """Whether this one may be held, and what room there is for it."""
    seats = world.rules.seats(ask.subject, world.time.now_ms())
    pairs = [(seat.rule, seat.meter) for seat in seats]
    parent = world.charges.get(ask.parent)
    covered = parent.covers or NOTHING if parent is not None else NOTHING
    own = places.uncovered(ask.amounts, covered)
    verdict = decide.judge(pairs, own, ask.priority)
    left = decide.room(pairs, ask.priority)
    if parent is not None:
        left = Amounts(*(parent.held[i] if covered[i] else left[i] for i in range(3)))
    error = weigh.barrier(world, ask, pairs, parent)
    if error is None and verdict.refusal is not None:
        error = decide.denied(verdict.refusal, own, ask.subject, fits=None, cheaper=[])
    if error is not None:
        return Weighing("refused", error, left, verdict.downgrade)
    return Weighing("past_limit" if verdict.past else "fits", None, left)
