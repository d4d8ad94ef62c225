"""The live end of the outbox: the last events in memory, and readers who take turns.

Readers pull from where they are; nothing is queued for them, so nothing grows and nothing is
lost. What they cost is bounded: a few at a time, with a pause for everybody else in between.
"""

from collections import deque
from collections.abc import Callable

import anyio

from protocols.events import StoredEvent
from protocols.feed import Frame, frame

KEPT = 4096
"""Events in memory; who is further behind reads from the store."""
AT_ONCE = 8
PAUSE_S = 0.002
"""With a thousand readers an event is with the last one after a quarter of a second."""


class Reader:
    """One who waits for a turn."""

    __slots__ = ("called", "seq")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.called = anyio.Event()


class LiveFeed:
    """`publish` is for the alert dispatcher; `run` is its pump and lives beside the doors."""

    def __init__(self) -> None:
        self.head = 0
        self.told: list[Callable[[], None]] = []
        self._frames: deque[Frame] = deque(maxlen=KEPT)
        self._idle: dict[Reader, None] = {}
        """Those who have everything."""
        self._due: deque[Reader] = deque()
        self._stirred = anyio.Event()

    @property
    def readers(self) -> int:
        """Who waits for a turn: all but the few that are being served."""
        return len(self._idle) + len(self._due)

    def begin(self, seq: int) -> None:
        """Say where the outbox ends at the start; later calls change nothing."""
        self.head = self.head or seq

    def publish(self, events: list[StoredEvent]) -> None:
        """Add what comes next; what is known already is passed over."""
        fresh = [frame(event) for event in events if event.seq > self.head]
        if fresh:
            assert fresh[0].seq == self.head + 1, "the outbox has no gaps"
            self._frames.extend(fresh)
            self.head = fresh[-1].seq
            self._due.extend(self._idle)
            self._idle.clear()
            self._stirred.set()
            for tell in self.told:
                tell()

    def since(self, seq: int) -> list[Frame] | None:
        if seq >= self.head:
            return []
        if not self._frames or self._frames[0].seq > seq + 1:
            return None
        behind = self.head - seq
        return [self._frames[place] for place in range(-behind, 0)]

    async def turn(self, seq: int) -> None:
        reader = Reader(seq)
        if seq < self.head:
            self._due.append(reader)
            self._stirred.set()
        else:
            self._idle[reader] = None
        try:
            await reader.called.wait()
        finally:
            self._idle.pop(reader, None)

    async def run(self) -> None:
        """Call readers, a few at a time."""
        while True:
            await self._stirred.wait()
            self._stirred = anyio.Event()
            while self._due:
                for _ in range(min(AT_ONCE, len(self._due))):
                    self._due.popleft().called.set()
                await anyio.sleep(PAUSE_S)
