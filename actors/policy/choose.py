"""The choice among several models: each is weighed against every limit. Changes nothing."""

from actors.policy import decide, places, weigh
from actors.policy.bench import Bench, Benches
from actors.policy.world import World
from protocols.policy.charge import NOTHING, Admit, Amounts
from protocols.policy.choice import Choose, Weighing


def choose(world: World, ask: Choose) -> tuple[int | None, list[Weighing]]:
    """The first option that fits; if none does, the first that may pass the limit it meets.

    So a soft limit that a call may pass steers it to a cheaper model before it is passed.
    """
    if ask.downgrade and ask.options:
        asked = weighed(world, ask.admit(0))
        if asked.verdict != "refused" or not asked.downgrade:
            return (0 if asked.verdict != "refused" else None), [asked]
    scales = Scales(world, ask)
    weighings: list[Weighing] = []
    fits: int | None = None
    beyond: int | None = None
    for place in range(len(ask.options)):
        found = scales.weigh(place)
        weighings.append(found)
        if found.verdict == "fits" and fits is None:
            fits = place
            if not ask.shown:
                break
        elif found.verdict == "past_limit" and beyond is None:
            beyond = place
    if ask.shown:
        scales.explain(weighings)
    return (beyond if fits is None else fits), weighings


class Scales:
    """Weighs the options of one choice; those that sit on the same bench have their answers there.

    A call that draws from an allocation, has no price, or may meet a bound on what one holder
    takes is weighed by itself.
    """

    def __init__(self, world: World, ask: Choose) -> None:
        self._world = world
        self._ask = ask
        call = ask.call
        self._benches = Benches(world.rules, call.subject, call.priority, world.time.now_ms())
        self._answers: dict[int, tuple[Weighing, Weighing, Weighing]] = {}
        self._alone = call.parent is not None
        self._refusals: dict[int, decide.Refusal] = {}
        """By the places of the options."""
        self._tails: dict[int, str] = {}

    def weigh(self, place: int) -> Weighing:
        option = self._ask.options[place]
        offer, tokens = option.offer, option.load.tokens
        bench = self._benches.of(offer.kind)
        if self._alone or not offer.priced or bench.watched:
            return weighed(self._world, self._ask.admit(place))
        fits, past, refused = self._answers.get(id(bench)) or self._answers_of(bench)
        if bench.easy(option.usd, tokens):
            return fits
        amounts = (option.usd, tokens, 1)
        refusal = bench.refusal(amounts)
        if refusal is not None:
            self._refusals[place] = refusal
            return refused
        return past if bench.past(amounts) else fits

    def _answers_of(self, bench: Bench) -> tuple[Weighing, Weighing, Weighing]:
        left = bench.left
        answers = Weighing("fits", left), Weighing("past_limit", left), Weighing("refused", left)
        self._answers[id(bench)] = answers
        return answers

    def explain(self, weighings: list[Weighing]) -> None:
        """Say why of every refused option that is shown, and of the one that was asked for."""
        refused = [place for place, one in enumerate(weighings) if one.verdict == "refused"]
        shown = max(1, self._ask.shown - (len(weighings) - len(refused)))
        for rank, place in enumerate(refused):
            option, found = self._ask.options[place], weighings[place]
            if found.error is not None:
                continue
            if rank == 0:
                weighings[place] = weighed(self._world, self._ask.admit(place))
            elif rank < shown or option.asked:
                detail = self._sentence(self._refusals[place], option.amounts)
                weighings[place] = Weighing("refused", found.left, None, detail)

    def _sentence(self, refusal: decide.Refusal, amounts: Amounts) -> str:
        """As `decide.sentence`; what is said of the limit is the same for many."""
        tail = self._tails.get(id(refusal))
        if tail is None:
            tail = self._tails[id(refusal)] = decide.standing_of(refusal)
        return decide.sentence(refusal, amounts, self._ask.call.subject.component, tail)


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
        return Weighing("refused", left, error, downgrade=verdict.downgrade)
    return Weighing("past_limit" if verdict.past else "fits", left)
