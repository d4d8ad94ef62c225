"""Wrong tokens, counted by the address they came from: whoever guesses is slowed down.

A right token is always let in, for on one machine all callers share an address.
"""

import time
from collections.abc import Callable

from aiohttp import web

from protocols.errors import BudgetError, Throttled, Unauthenticated

WINDOW_S = 60.0
PEERS_MAX = 4096


class Failures:
    """How many wrong tokens came from where, in windows of a minute."""

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self._now = now
        self._seen: dict[str, tuple[float, int]] = {}
        """Address → when its window began, wrong tokens in it; the oldest window first."""

    def count(self, request: web.BaseRequest, refusal: Unauthenticated) -> BudgetError:
        """What to answer: the refusal, or that there were too many."""
        if "Authorization" not in request.headers:
            return refusal
        peer, now = request.remote or "unix socket", self._now()
        began, number = self._seen.get(peer, (now, 0))
        if now - began >= WINDOW_S:
            began, number = now, 0
            self._seen.pop(peer, None)
        if len(self._seen) >= PEERS_MAX and peer not in self._seen:
            self._seen.pop(next(iter(self._seen)))
        self._seen[peer] = began, number + 1
        if number < self.most:
            return refusal
        wait_s = max(1, round(WINDOW_S - (now - began)))
        return Throttled(
            f"more than {self.most} wrong tokens in a minute from this address",
            hint=refusal.hint, retry_after_s=wait_s,
        )  # fmt: skip
