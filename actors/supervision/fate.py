"""Those who fall and rise together, and how often they may."""

from collections import deque
from enum import StrEnum


class State(StrEnum):
    RUNNING = "running"
    RESTARTING = "restarting"
    DOWN = "down"


class Fate:
    """Shared by one actor or many. `worn_out` after more than `restart_max` falls `within_s`."""

    __slots__ = ("_falls", "name", "restart_max", "restarts", "state", "within_s")

    def __init__(self, name: str, restart_max: int, within_s: float) -> None:
        self.name = name
        self.restart_max = restart_max
        self.within_s = within_s
        self.state = State.RUNNING
        self.restarts = 0
        self._falls: deque[float] = deque()

    def fall(self, now: float) -> None:
        self._falls.append(now)
        while self._falls[0] <= now - self.within_s:
            self._falls.popleft()

    @property
    def recent_falls(self) -> int:
        return len(self._falls)

    @property
    def worn_out(self) -> bool:
        return len(self._falls) > self.restart_max
