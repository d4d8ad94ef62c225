"""Where the models that could serve one call would sit, and what is left for them there.

A choice looks at hundreds of models, and a refusal at some dozens, which differ for the policies in
little or nothing. Those that fall under the same counters share a bench, which decides each of them
in a few comparisons. It says what `decide.judge` says.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from actors.policy import decide
from actors.policy.counter import Meter
from actors.policy.crowd import Fitting
from actors.policy.rule import UNLIMITED, Rule
from actors.policy.rulebook import Rulebook
from protocols.policy.charge import Amounts, Kind, Subject

Limit = tuple[int, int, decide.Refusal]
"""What is left below it, its axis, and the refusal of whoever asks for more."""


class Bench:
    """The seats of a kind of call, and how much of each limit is left on them."""

    def __init__(self, pairs: list[decide.Seat], priority: int) -> None:
        self._pairs = pairs
        self._priority = priority
        self._limits = sorted(_limits(pairs, priority), key=_longest_first)

    @cached_property
    def left(self) -> Amounts:
        return decide.room(self._pairs, self._priority)

    @cached_property
    def watched(self) -> bool:
        """Whether it matters who holds what is held here."""
        return any(rule.policy.hold_share is not None for rule, _ in self._pairs)

    @cached_property
    def _within(self) -> tuple[int, ...]:
        return _within(self._pairs)

    @cached_property
    def _easy(self) -> tuple[int, ...]:
        return _least(self._limits, self._within)

    def easy(self, usd: int, tokens: int) -> bool:
        """Whether one call of that size is within every limit."""
        most_usd, most_tokens, most_calls = self._easy
        return usd <= most_usd and tokens <= most_tokens and most_calls >= 1

    def refusal(self, amounts: Sequence[int]) -> decide.Refusal | None:
        """The limit that says no; of several the one that lasts longest."""
        for left, axis, refusal in self._limits:
            if amounts[axis] > left and amounts[axis]:
                return refusal
        return None

    def past(self, amounts: Sequence[int]) -> bool:
        """Whether a limit is passed that this priority may pass."""
        for left, amount in zip(self._within, amounts, strict=True):
            if amount > left and amount:
                return True
        return False


def _limits(pairs: list[decide.Seat], priority: int) -> Iterator[Limit]:
    for rule, meter in pairs:
        for axis in rule.axes:
            left = rule.cap(axis, priority) - meter.used[axis] - meter.held[axis]
            yield left, axis, decide.Refusal(rule, meter, axis)


def _least(limits: Iterable[Limit], within: Sequence[int]) -> tuple[int, ...]:
    least = list(within)
    for left, axis, _ in limits:
        least[axis] = min(least[axis], left)
    return tuple(least)


def _longest_first(limit: Limit) -> int:
    return -limit[2].meter.window.ends_ms


def _within(pairs: list[decide.Seat]) -> tuple[int, ...]:
    least = [UNLIMITED, UNLIMITED, UNLIMITED]
    for rule, meter in pairs:
        for axis in rule.axes if rule.enforces else ():
            least[axis] = min(
                least[axis], rule.limits[axis] - meter.used[axis] - meter.held[axis]
            )  # fmt: skip
    return tuple(least)


class Benches:
    """The benches of one call, whichever model serves it."""

    def __init__(self, rules: Rulebook, subject: Subject, priority: int, now_ms: int) -> None:
        self._rules = rules
        self._crowd = rules.crowd(subject)
        self._subject = subject
        self._priority = priority
        self._now_ms = now_ms
        self._known: dict[object, Bench] = {}
        self._meters: dict[Rule, Meter] = {}

    def of(self, kind: Kind) -> Bench:
        crowd = self._crowd
        fitting = crowd.kinds.get(kind) or crowd.fitting(kind)
        key = (fitting, *self._keys(fitting, kind)) if fitting.each_model else fitting
        bench = self._known.get(key)
        if bench is None:
            subject = self._of(kind)
            pairs = [(rule, self._meter(rule, subject)) for rule in fitting.rules]
            bench = self._known[key] = Bench(pairs, self._priority)
        return bench

    def _meter(self, rule: Rule, subject: Subject) -> Meter:
        """The same for every model, unless they are counted apart."""
        if rule.each_model:
            return self._rules.seat(rule, subject, self._now_ms).meter
        meter = self._meters.get(rule)
        if meter is None:
            meter = self._meters[rule] = self._rules.seat(rule, subject, self._now_ms).meter
        return meter

    def _keys(self, fitting: Fitting, kind: Kind) -> list[str | None]:
        """Counters of the model's own; nothing is used yet of those that are not open."""
        keys = []
        for rule, part in fitting.each_model:
            key = rule.key_of(self._of(kind)) if part is None else kind[part]
            keys.append(key if key in rule.meters else None)
        return keys

    def _of(self, kind: Kind) -> Subject:
        at = self._subject
        return Subject(at.component, *kind, at.task_type, at.context_id, at.tags)
