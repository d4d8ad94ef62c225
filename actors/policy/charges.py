"""Open charges, and when they lapse."""

import heapq
from collections.abc import Collection, Iterator

from actors.policy.counter import Charge


class Charges:
    """Every open hold by id. A deadline that has passed counts, whether or not anybody swept."""

    def __init__(self) -> None:
        self._open: dict[str, Charge] = {}
        self._whose: dict[str, dict[str, Charge]] = {}
        """Component → its charges."""
        self._due: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._open)

    def get(self, hold: str | None) -> Charge | None:
        return None if hold is None else self._open.get(hold)

    def of(self, component: str) -> Collection[Charge]:
        return self._whose.get(component, {}).values()

    def add(self, charge: Charge) -> None:
        self._open[charge.hold] = charge
        whose = self._whose.get(charge.component)
        if whose is None:
            whose = self._whose[charge.component] = {}
        whose[charge.hold] = charge
        heapq.heappush(self._due, (charge.deadline, charge.hold))

    def prolong(self, charge: Charge, deadline: float) -> None:
        charge.deadline = deadline
        heapq.heappush(self._due, (deadline, charge.hold))

    def remove(self, charge: Charge) -> None:
        """Its line in the heap stays until its time comes; then there is nothing to do."""
        del self._open[charge.hold]
        del self._whose[charge.component][charge.hold]

    def overdue(self, now: float) -> Iterator[Charge]:
        """Each charge whose deadline has passed, taken out."""
        while self._due and self._due[0][0] <= now:
            _, hold = heapq.heappop(self._due)
            charge = self._open.get(hold)
            if charge is not None and charge.deadline <= now:
                self.remove(charge)
                yield charge
