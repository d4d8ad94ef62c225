"""Calls at fixed moments, whether or not those before are answered: honest tail latency.

Each is timed from the moment it was due. A caller in a closed loop would wait with the server, and
not notice how long others would have waited. With `from_sending` a load is timed from when it went
out, as a closed loop is: beyond saturation we ourselves are late, which is not the server's doing.
"""

import asyncio  # noqa: TID251  # as the closed loop's callers
import time
from collections import deque
from dataclasses import dataclass, field

from benchmarks.client import Caller, Load


@dataclass(slots=True)
class Schedule(Load):
    """A load whose requests have a time each; some of them may be refused as one too many."""

    due_ns: deque[int] = field(default_factory=deque)
    idle: list["Punctual"] = field(default_factory=list)
    refused_ns: list[int] = field(default_factory=list)
    without_retry_after: int = 0
    from_sending: bool = False
    left: int = 0
    """Answers that are still awaited, once all has been sent."""

    @property
    def answered(self) -> int:
        return len(self.latencies_ns) + len(self.refused_ns)

    def begin(self, due_ns: int) -> None:
        """Send it by whoever is free; else by the first who gets free."""
        if self.idle:
            self.idle.pop().send(due_ns)
        else:
            self.due_ns.append(due_ns)

    def refuse(self, asked_ns: int, heard: bytes) -> None:
        self.refused_ns.append(time.perf_counter_ns() - asked_ns)
        self.without_retry_after += b"\r\nRetry-After: " not in heard


class Punctual(Caller):
    """A connection that times from when the call was due."""

    def send(self, due_ns: int) -> None:
        assert isinstance(self.load, Schedule)
        self.asked_ns = time.perf_counter_ns() if self.load.from_sending else due_ns
        self.transport.write(next(self.load.requests))

    def _answered(self, status: int, body: bytes) -> None:
        load = self.load
        assert isinstance(load, Schedule)
        if status == 429:
            load.refuse(self.asked_ns, self.heard)
            self.heard = b""
            self._ask(load)
        else:
            super()._answered(status, body)

    def _ask(self, load: Load) -> None:
        assert isinstance(load, Schedule)
        load.left -= 1
        if not load.left and not load.over.done():
            load.over.set_result(None)
        if load.due_ns:
            self.send(load.due_ns.popleft())
        else:
            load.idle.append(self)


async def at_rate(crowd: list[Caller], load: Schedule, rate: float, seconds: float) -> Schedule:
    """Let the crowd send so many a second; return when the last of them is answered."""
    for caller in crowd:
        caller.take(load)
    count, step_ns = round(rate * seconds), 1e9 / rate
    began_ns = time.perf_counter_ns()
    sent = 0
    while sent < count:
        due_ns = began_ns + round(sent * step_ns)
        ahead_ns = due_ns - time.perf_counter_ns()
        if ahead_ns > 0:
            await asyncio.sleep(ahead_ns / 1e9)
            continue
        load.begin(due_ns)
        sent += 1
        if not sent % 32:
            await asyncio.sleep(0)
    load.left = count - load.answered
    if load.left:
        await load.over
    return load
