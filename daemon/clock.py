"""The machine's own clocks, behind the `Clock` port; nothing else in the house reads them."""

import time


class SystemClock:
    """Wall time in UTC, and a time that only goes forward."""

    __slots__ = ()

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()
