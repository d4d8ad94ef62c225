"""What is queued on its way to the daemon: by batches, the oldest first.

A file is removed when its own outcome is known, and not before: what was booked by a request that
was never answered is sent again under the same key.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tekton_budget.ask import Ask, Json
from tekton_budget.batch import at_once
from tekton_budget.errors import BudgetError, Busy, Malformed, TooLarge, Unavailable
from tekton_budget.replies import Booked
from tekton_budget.spool import Spool, restore
from tekton_budget.steps import Flow

log = logging.getLogger("tekton_budget")

BATCH_MAX = 100
Load = list[tuple[Path, Ask[Booked]]]


class Delivered(NamedTuple):
    """What became of the queue."""

    sent: int
    refused: int
    left: int


class Delivery:
    """One go at the queue, until it is empty or the daemon is away."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._sent = self._refused = 0

    def run(self, most: int | None) -> Flow[Delivered]:
        with self._spool.taken() as files:
            try:
                for load in self._loads(files[:most]):
                    if not (yield from self._deliver(load)):
                        break
            except BudgetError as error:  # it is about us, not about what is queued
                log.warning("the queue waits: %s", error)
        return Delivered(self._sent, self._refused, len(self._spool))

    def _loads(self, files: list[Path]) -> Iterator[Load]:
        """Two bookings of one hold never travel together: the later might overtake the other."""
        load: Load = []
        holds: set[str] = set()
        for path in files:
            try:
                ask = restore(path)
            except ValueError as error:
                self._refuse(path, BudgetError(f"cannot be read: {error}"))
                continue
            if len(load) == BATCH_MAX or ask.target in holds:
                yield load
                load, holds = [], set()
            load.append((path, ask))
            if not ask.target.endswith("/usage"):
                holds.add(ask.target)
        if load:
            yield load

    def _deliver(self, load: Load) -> Flow[bool]:
        """Whether to go on. What spoils a whole request is found by sending each by itself."""
        try:
            outcomes = yield from at_once([ask for _, ask in load])
        except (Malformed, TooLarge) as error:
            if len(load) == 1:
                self._refuse(load[0][0], error)
                return True
            for one in load:
                if not (yield from self._deliver([one])):
                    return False
            return True
        known = [self._conclude(path, told) for (path, _), told in zip(load, outcomes, strict=True)]
        return all(known)

    def _conclude(self, path: Path, outcome: Json | BudgetError) -> bool:
        """Whether it is known what became of it."""
        if isinstance(outcome, Unavailable | Busy):
            return False
        if isinstance(outcome, BudgetError):
            self._refuse(path, outcome)
        else:
            path.unlink()
            self._sent += 1
        return True

    def _refuse(self, path: Path, error: BudgetError) -> None:
        log.error("a queued booking is refused: %s: %s", path.name, error)
        self._spool.refuse(path, error)
        self._refused += 1
