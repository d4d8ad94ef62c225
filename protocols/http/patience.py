"""How long a reader of a stream is waited for that does not take what it is sent."""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from protocols.feed import Feed
from protocols.http.settings import DoorSettings

BEHIND_MAX = 256
"""Messages that may come while a reader is still at those before them."""
GRACE_S = 1.0
"""How long it has from then on: a burst comes in less time than anybody can read it in."""


class Patience:
    """Nothing is queued for a reader, and none is waited for without end. One for all streams."""

    def __init__(self, feed: Feed, settings: DoorSettings) -> None:
        self._feed = feed
        self._slow_s = settings.slow_s
        self._writing: dict[anyio.CancelScope, int] = {}
        """The newest event when each began to write what its reader has not taken yet."""
        feed.told.append(self._hurry)

    @contextmanager
    def with_reader(self) -> Iterator[anyio.CancelScope]:
        """Cancelled, if what is written inside is not taken in time."""
        with anyio.move_on_after(self._slow_s) as scope:
            self._writing[scope] = self._feed.head
            try:
                yield scope
            finally:
                del self._writing[scope]

    def _hurry(self) -> None:
        latest = anyio.current_time() + GRACE_S
        for scope, head in self._writing.items():
            if self._feed.head - head >= BEHIND_MAX and scope.deadline > latest:
                scope.deadline = latest
