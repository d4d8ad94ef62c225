"""Counters: what is used and held in one window of one policy, on three axes."""

from collections import deque
from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json

from protocols.period import FOREVER_MS, Window, rfc3339
from protocols.policy.charge import NOTHING, ZERO, Amounts, Covers, WindowShown

Levels = list[int]
"""Nano-dollars, tokens, calls: the order of AXES."""
Mark = tuple[int, int, int]
"""A threshold: its axis, the level that reaches it, its share of the limit in millionths."""


class Counter:
    """One window of one policy for one key. Numbered: the journal knows it by `id`."""

    __slots__ = (
        "counting",
        "crossed",
        "held",
        "id",
        "key",
        "policy",
        "rolling",
        "shown",
        "used",
        "window",
        "written",
    )

    def __init__(
        self,
        number: int,
        policy: str,
        counting: int,
        key: str,
        window: Window,
        used: Amounts = ZERO,
    ) -> None:
        self.id = number
        self.policy = policy
        self.counting = counting
        self.key = key
        self.window = window
        self.used: Levels = list(used)
        self.held: Levels = [0, 0, 0]
        self.rolling: Rolling | None = None
        self.crossed: frozenset[Mark] = frozenset()

    def __getattr__(self, name: str) -> Any:
        """How its window is told, made at the first question and then kept: a start restores
        hundreds of thousands of sessions, and most of them are never asked about again.
        """
        if name not in ("shown", "written"):
            raise AttributeError(name)
        self.shown = show_window(self.window)
        self.written = to_json(self.shown).decode()
        return getattr(self, name)

    def hold(self, axis: int, amount: int) -> None:
        """Add to what is held; a negative amount gives back."""
        self.held[axis] += amount
        if self.rolling is not None:
            self.rolling.held[axis] += amount

    def use(self, axis: int, amount: int) -> None:
        """Add to what is used."""
        self.used[axis] += amount
        if self.rolling is not None:
            self.rolling.used[axis] += amount

    @property
    def meter(self) -> "Counter | Rolling":
        """What a limit is compared with: the window itself, or the rolling sum it is part of."""
        return self if self.rolling is None else self.rolling

    @property
    def idle(self) -> bool:
        return not any(self.held)

    def cross(self, mark: Mark) -> None:
        """Remember that this threshold was reached."""
        self.crossed |= {mark}

    def has_crossed(self, mark: Mark) -> bool:
        return mark in self.crossed


class Rolling:
    """The sum of the buckets that a rolling window still reaches."""

    __slots__ = ("buckets", "held", "key", "length_ms", "used")

    def __init__(self, key: str, length_ms: int) -> None:
        self.key = key
        self.length_ms = length_ms
        self.buckets: deque[Counter] = deque()
        self.used: Levels = [0, 0, 0]
        self.held: Levels = [0, 0, 0]

    def add(self, bucket: Counter) -> None:
        self.buckets.append(bucket)
        bucket.rolling = self
        add(self.used, bucket.used)
        add(self.held, bucket.held)

    def advance(self, now_ms: int) -> None:
        """Let go of the buckets that the window has left behind."""
        while self.buckets and self.buckets[0].window.ends_ms <= now_ms:
            bucket = self.buckets.popleft()
            bucket.rolling = None
            take(self.used, bucket.used)
            take(self.held, bucket.held)

    def has_crossed(self, mark: Mark) -> bool:
        return any(mark in bucket.crossed for bucket in self.buckets)

    @property
    def shown(self) -> WindowShown:
        """From the oldest bucket that counts to when that one leaves."""
        return self.buckets[0].shown

    @property
    def written(self) -> str:
        """`shown`, as JSON."""
        return self.buckets[0].written

    @property
    def window(self) -> Window:
        oldest = self.buckets[0].window
        return Window(oldest.starts_ms, oldest.ends_ms)


Meter = Counter | Rolling


def add(levels: Levels, amounts: Sequence[int]) -> None:
    levels[0] += amounts[0]
    levels[1] += amounts[1]
    levels[2] += amounts[2]


def take(levels: Levels, amounts: Sequence[int]) -> None:
    levels[0] -= amounts[0]
    levels[1] -= amounts[1]
    levels[2] -= amounts[2]


def show_window(window: Window) -> WindowShown:
    ends = None if window.ends_ms >= FOREVER_MS else rfc3339(window.ends_ms)
    return WindowShown(rfc3339(window.starts_ms), ends)


class Charge:
    """What one hold has put into which counters. `covered` axes sit in the allocation's."""

    __slots__ = (
        "component", "counters", "covered", "covers", "deadline", "held", "hold", "parent",
        "parent_counters", "windows",
    )  # fmt: skip

    def __init__(
        self,
        hold: str,
        component: str,
        counters: tuple[Counter, ...],
        held: Amounts,
        deadline: float,
        *,
        covers: Covers | None = None,
        parent: str | None = None,
        parent_counters: tuple[Counter, ...] = (),
        covered: Covers = NOTHING,
        windows: tuple[int, ...] | None = None,
    ) -> None:
        self.hold = hold
        self.component = component
        self.counters = counters
        self.windows = windows or tuple([counter.id for counter in counters])
        self.held: Levels = list(held)
        self.deadline = deadline
        self.covers = covers
        self.parent = parent
        self.parent_counters = parent_counters
        self.covered = covered

    def counters_of(self, axis: int) -> tuple[Counter, ...]:
        return self.parent_counters if self.covered[axis] else self.counters

    def take_all(self, amounts: Amounts) -> None:
        """`take` on every axis at once; nothing of it sits in an allocation's counters."""
        add(self.held, amounts)
        for meter in self._meters():
            add(meter.held, amounts)

    def settle_all(self, used: Amounts) -> None:
        """Use this much and hold nothing any more; nothing of it sits in an allocation's."""
        usd, tokens, calls = used
        held_usd, held_tokens, held_calls = self.held
        for meter in self._meters():
            levels = meter.held
            levels[0] -= held_usd
            levels[1] -= held_tokens
            levels[2] -= held_calls
            levels = meter.used
            levels[0] += usd
            levels[1] += tokens
            levels[2] += calls
        self.held = [0, 0, 0]

    def _meters(self) -> list[Meter]:
        """Each window, and each rolling sum that one is part of."""
        rolling = [one.rolling for one in self.counters if one.rolling is not None]
        return [*self.counters, *rolling]

    def take(self, axis: int, amount: int) -> None:
        """Hold more (or, negative, less) on this axis, here and in every counter."""
        self.held[axis] += amount
        for counter in self.counters_of(axis):
            counter.hold(axis, amount)

    def drop(self, axis: int) -> int:
        """Give all of an axis back; how much it was."""
        left = self.held[axis]
        if left:
            self.take(axis, -left)
        return left
