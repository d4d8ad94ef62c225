"""Ledger time: the wall clock, but it never goes back."""

from actors.ports import Clock


class LedgerTime:
    """When the wall clock steps back, ledger time stands still until the clock has caught up.

    So no window opens twice and entries stay in order. Deadlines use `monotonic`, which no
    step of the wall clock touches.
    """

    def __init__(self, clock: Clock, last_ms: int = 0) -> None:
        self.clock = clock
        self.last_ms = last_ms

    def now_ms(self) -> int:
        self.last_ms = max(self.last_ms, self.clock.now_ms())
        return self.last_ms

    def monotonic(self) -> float:
        return self.clock.monotonic()
