"""Where the calls of one subject sit until a window ends: worked out once, for many calls.

Most calls are far from every limit. For them a plan answers in one pass over its levels, from
what it prepared; whatever is near a limit or a threshold is judged at length.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from actors.policy.counter import Levels
from protocols.money import NANOS_PER_USD
from protocols.policy.charge import Amounts
from protocols.policy.standing import Standings

if TYPE_CHECKING:
    from actors.policy.rulebook import Seat

Limited = tuple[Levels, Levels, int, int, int]
"""What is used and held, the axis, the level from which there is something to say, the limit."""


USD = '"%d.%09d","held":"%d.%09d","left":"%d.%09d"'
WHOLE = '%d,"held":%d,"left":%d'
"""Used, held and left in a standing, on an axis of either kind."""


class Plan:
    """The seats of one subject, all of whose counters are open."""

    __slots__ = ("_limited", "_text", "counters", "held", "hoards", "seats", "until_ms", "windows")

    def __init__(self, seats: "Sequence[Seat]", until_ms: int) -> None:
        self.seats = tuple(seats)
        self.until_ms = until_ms
        self.counters = tuple([counter for _, _, counter in seats])
        self.windows = tuple([counter.id for counter in self.counters])
        rolling = [one.rolling.held for one in self.counters if one.rolling is not None]
        self.held: tuple[Levels, ...] = (*[one.held for one in self.counters], *rolling)
        """What is held in each window, and in each rolling sum that one is part of."""
        self.hoards = any(rule.policy.hold_share is not None for rule, _, _ in seats)
        self._limited: tuple[Limited, ...] = ()
        self._text = ""

    def quiet(self, amounts: Amounts) -> Standings | None:
        """Where every limit would stand with these amounts held, if none of them is near."""
        if not self._text:
            self._prepare()
        figures: list[int] = []
        for used_of, held_of, axis, floor, limit in self._limited:
            used = used_of[axis]
            held = held_of[axis] + amounts[axis]
            level = used + held
            if level >= floor:
                return None
            left = limit - level
            if axis:
                figures += (used, held, left)
            else:
                figures += (
                    used // NANOS_PER_USD, used % NANOS_PER_USD,
                    held // NANOS_PER_USD, held % NANOS_PER_USD,
                    left // NANOS_PER_USD, left % NANOS_PER_USD,
                )  # fmt: skip
        return Standings(self._text % tuple(figures))

    def _prepare(self) -> None:
        """Most subjects with a session of their own are seen but once: not before the second."""
        self._limited = tuple(
            (meter.used, meter.held, axis, min(rule.floors[axis], rule.limits[axis]), limit)
            for rule, meter, _ in self.seats
            for axis, limit, _ in rule.written
        )
        texts = [
            f'{literal(head)}{WHOLE if axis else USD},"window":{literal(meter.written)}}}'
            for rule, meter, _ in self.seats
            for axis, _, head in rule.written
        ]
        self._text = f"[{','.join(texts)}]"


def literal(text: str) -> str:
    return text.replace("%", "%%")
