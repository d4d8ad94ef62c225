"""Calls at fixed moments, whether or not those before are answered: honest tail latency.

Each is timed from the moment it was due. A caller in a closed loop would wait with the server, and
not notice how long others would have waited.
"""

import asyncio  # noqa: TID251  # as the closed loop's callers
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.client import Caller, Connect, Load, connected

CONNECTIONS = 64


@dataclass(slots=True)
class Schedule(Load):
    """A load whose requests have a time each."""

    due_ns: deque[int] = field(default_factory=deque)
    idle: list["Punctual"] = field(default_factory=list)
    left: int = 0
    """Answers that are still awaited, once all has been sent."""

    def begin(self, due_ns: int) -> None:
        """Send it by whoever is free; else by the first who gets free."""
        if self.idle:
            self.idle.pop().send(due_ns)
        else:
            self.due_ns.append(due_ns)


class Punctual(Caller):
    """A connection that times from when the call was due."""

    def send(self, due_ns: int) -> None:
        assert isinstance(self.load, Schedule)
        self.asked_ns = due_ns
        self.transport.write(next(self.load.requests))

    def _ask(self, load: Load) -> None:
        assert isinstance(load, Schedule)
        load.left -= 1
        if not load.left and not load.over.done():
            load.over.set_result(None)
        if load.due_ns:
            self.send(load.due_ns.popleft())
        else:
            load.idle.append(self)


async def at_rate(
    connect: Connect, requests: Iterator[bytes], status: int, rate: float, seconds: float
) -> list[int]:
    """Latencies in nanoseconds, sorted."""
    over = asyncio.get_running_loop().create_future()
    load = Schedule(requests, status, 0, CONNECTIONS, over)
    count, step_ns = round(rate * seconds), 1e9 / rate
    async with connected(connect, CONNECTIONS, Punctual) as crowd:
        for caller in crowd:
            caller.take(load)
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
        load.left = count - len(load.latencies_ns)
        if load.left:
            await over
    return sorted(load.latencies_ns)
