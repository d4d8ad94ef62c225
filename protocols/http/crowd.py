"""The crowd at the door: how many calls wait, and how many may.

A burst is let in whole. When more wait than that, more come than can be served, and to let them
wait longer would help nobody. From then on only as many wait as are answered within a moment,
judged by how many were answered lately; whoever is one too many hears so at once, before anything
is read of what they want. It is over when for a while nobody had to be turned away.
"""

import time
from collections.abc import Callable

from protocols.errors import Busy
from protocols.http.reply import problem_in_bytes
from protocols.message import Ask, Caller, R, Request
from protocols.operations import LEDGER

LOOK_S = 0.25
LEAST = 64
"""So many may always wait: fewer would not share a commit."""
KEPT = 0.95
"""What a look leaves of the highest rate so far: a lull does not make the daemon seem slow."""


class Crowd:
    """Counts calls that begin something, from when they are let in until they are answered."""

    __slots__ = (
        "_answered", "_burst", "_lately", "_looked_at", "_now", "_rate", "_told", "_wait_s",
        "most", "turned_away", "waiting",
    )  # fmt: skip

    def __init__(
        self, burst: int = 512, wait_s: float = 0.025, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.waiting = 0
        self.most = burst
        """How many may wait."""
        self.turned_away = 0
        """How many ever were."""
        self._burst = burst
        self._wait_s = wait_s
        self._now = now
        self._looked_at = now()
        self._answered = 0
        self._lately = 0
        self._told = b""
        self._rate = 0.0

    def turns_away(self) -> bytes | None:
        """What one more is told, if they are one too many.

        The same words for all of a crowd: to say no must cost little, or there is no time for
        those who were let in.
        """
        if self.waiting < self.most:
            return None
        if not self._lately:  # the first since the last look
            self.most = min(self._burst, max(LEAST, int(self._rate * self._wait_s)))
            if self.waiting < self.most:
                return None
            self._told = problem_in_bytes(too_many())
        self._lately += 1
        self.turned_away += 1
        return self._told

    def enter(self) -> None:
        self.waiting += 1

    def leave(self) -> None:
        self.waiting -= 1
        self._answered += 1
        if self._now() - self._looked_at >= LOOK_S:
            self._look()

    def asking(self, ask: Ask) -> Ask:
        """The same `ask`, for doors that wait. Raises `Busy`."""

        async def asked(to: str, request: Request[R], caller: Caller) -> R:
            if not to.startswith(LEDGER):
                return await ask(to, request, caller)
            if self.turns_away() is not None:
                raise too_many()
            self.enter()
            try:
                return await ask(to, request, caller)
            finally:
                self.leave()

        return asked

    def _look(self) -> None:
        """See how many are answered in a second, and whether it is over."""
        now = self._now()
        self._rate = max(self._answered / (now - self._looked_at), self._rate * KEPT)
        if not self._lately:
            self.most = self._burst
        self._looked_at, self._answered, self._lately = now, 0, 0


def too_many() -> Busy:
    return Busy("too many calls wait", hint="come back in a second", retry_after_s=1)
