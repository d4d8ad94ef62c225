"""How one ask goes: tried again where that can help, and what happens when the daemon is away.

A flow is a generator of steps, so that a thread that waits and a coroutine walk the same one.
"""

import logging
from collections.abc import Generator
from typing import Any, Literal, NamedTuple, TypeVar, get_args

from tekton_budget.ask import Ask
from tekton_budget.errors import BudgetError, Busy, Unavailable
from tekton_budget.replies import Booked, Reservation
from tekton_budget.spool import Spool, restore

log = logging.getLogger("tekton_budget")

R = TypeVar("R")
Away = Literal["deny", "allow", "queue"]
"""When the daemon cannot be reached:

- `deny`: no call without a hold; usage of calls that had one is queued
- `allow`: calls go on without a hold; their usage is forgotten, with a warning in the log
- `queue`: calls go on without a hold; their usage is queued to disk and booked later
"""
PAUSE_S = 0.1
DELIVERED_MAX = 100
"""Queued bookings that one ask takes along, so that no caller waits for all of a long absence."""


class Send(NamedTuple):
    """Send this; the flow goes on with the answer's JSON, or with the error."""

    ask: Ask[Any]


class Wait(NamedTuple):
    seconds: float


class Delivered(NamedTuple):
    """What became of the queue."""

    sent: int
    refused: int
    left: int


Step = Send | Wait
Flow = Generator[Step, Any, R]


class Conduct:
    """One client's way with the daemon."""

    def __init__(self, away: Away, spool: Spool, tries: int) -> None:
        if away not in get_args(Away):
            raise ValueError(f"when_away is {away!r}; write one of {', '.join(get_args(Away))}")
        self.away = away
        self.spool = spool
        self.tries = tries

    def ask(self, ask: Ask[R]) -> Flow[R]:
        """Send until answered, at most `tries` times. Everything sent twice has a key."""
        pause = PAUSE_S
        for tries_left in reversed(range(self.tries)):
            try:
                document = yield Send(ask)
                break
            except (Busy, Unavailable):
                if not tries_left:
                    raise
            yield Wait(pause)
            pause *= 2
        else:
            raise AssertionError("tries is at least 1")
        if self.spool.waiting:
            yield from self.deliver(DELIVERED_MAX)
        return ask.read(document)

    def reserve(self, ask: Ask[Reservation]) -> Flow[Reservation]:
        try:
            return (yield from self.ask(ask))
        except Unavailable as error:
            if self.away == "deny":
                raise
            log.warning("%s: the call goes on without a hold", error)
            return Reservation("", "unbacked", "away", *_who(ask))

    def book(self, ask: Ask[Booked]) -> Flow[Booked]:
        """Usage that happened. Only `allow` forgets it."""
        try:
            return (yield from self.ask(ask))
        except (Unavailable, Busy) as error:
            if self.away == "allow":
                log.warning("%s: usage is forgotten: %s", error, ask.fields)
                return Booked("dropped", "dropped")
            self.spool.put(ask)
            log.warning("%s: usage is queued in %s", error, self.spool.directory)
            return Booked("queued", "queued")

    def deliver(self, most: int | None = None) -> Flow[Delivered]:
        """Send what is queued, oldest first, until the daemon is away again."""
        sent = refused = 0
        with self.spool.taken() as files:
            for path in files[:most]:
                try:
                    yield Send(restore(path))
                    path.unlink()
                    sent += 1
                except (Unavailable, Busy):
                    break
                except (BudgetError, ValueError, KeyError) as error:
                    log.error("a queued booking is refused: %s: %s", path.name, error)  # noqa: TRY400
                    self.spool.refuse(path, _as_refusal(error))
                    refused += 1
        return Delivered(sent, refused, len(self.spool))


def _who(ask: Ask[Any]) -> tuple[str, str]:
    return str(ask.fields.get("component", "")), str(ask.fields["model"])


def _as_refusal(error: Exception) -> BudgetError:
    return error if isinstance(error, BudgetError) else BudgetError(f"cannot be read: {error}")
