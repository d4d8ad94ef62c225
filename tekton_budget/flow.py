"""How one ask goes: tried again where that can help, and what happens when the daemon is away.

A flow is a generator of steps, so that a thread that waits and a coroutine walk the same one.
"""

import logging
from collections.abc import Sequence
from typing import Any, Literal, TypeVar, get_args

from tekton_budget.ask import Ask, Json
from tekton_budget.batch import at_once, cut
from tekton_budget.delivery import BATCH_MAX, Delivered, Delivery
from tekton_budget.errors import BudgetError, Busy, Unavailable
from tekton_budget.replies import Booked, Reservation
from tekton_budget.spool import Spool
from tekton_budget.steps import Flow, Send, Wait

log = logging.getLogger("tekton_budget")

R = TypeVar("R")
Away = Literal["deny", "allow", "queue"]
"""When the daemon cannot be reached:

- `deny`: no call without a hold; usage of calls that had one is queued
- `allow`: calls go on without a hold; their usage is forgotten, with a warning in the log
- `queue`: calls go on without a hold; their usage is queued to disk and booked later
"""
PAUSE_S = 0.1


class Conduct:
    """One client's way with the daemon."""

    def __init__(self, away: Away, spool: Spool, tries: int) -> None:
        if away not in get_args(Away):
            raise ValueError(f"when_away is {away!r}; write one of {', '.join(get_args(Away))}")
        if tries < 1:
            raise ValueError("tries is at least 1")
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
            except (Busy, Unavailable) as error:
                if not tries_left:
                    stand_in: R | None = self._stand_in(ask, error)
                    if stand_in is None:
                        raise
                    return stand_in
            yield Wait(pause)
            pause *= 2
        else:
            raise AssertionError("tries is at least 1")
        if self.spool.waiting:
            yield from self.deliver(BATCH_MAX)
        return ask.read(document)

    def many(self, asks: Sequence[Ask[R]]) -> Flow[list[R | BudgetError]]:
        """As `ask`, for each of them. What befalls a request befalls all that it carried."""
        outcomes: dict[int, Json | BudgetError] = {}
        waiting: Sequence[int] = range(len(asks))
        for tried in range(self.tries):
            if tried:
                yield Wait(PAUSE_S * 2 ** (tried - 1))
            for some in cut(asks, waiting):
                try:
                    told = yield from at_once([asks[number] for number in some])
                except BudgetError as error:
                    told = [error] * len(some)
                outcomes.update(zip(some, told, strict=True))
            waiting = [one for one in waiting if isinstance(outcomes[one], Busy | Unavailable)]
            if not waiting:
                break
        if self.spool.waiting and len(waiting) < len(asks):
            yield from self.deliver(BATCH_MAX)
        return [self._concluded(ask, outcomes[number]) for number, ask in enumerate(asks)]

    def _concluded(self, ask: Ask[R], outcome: Json | BudgetError) -> R | BudgetError:
        if not isinstance(outcome, BudgetError):
            return ask.read(outcome)
        if not isinstance(outcome, Busy | Unavailable):
            return outcome
        try:
            return self._stand_in(ask, outcome) or outcome
        except Unavailable as neither:
            return neither

    def _stand_in(self, ask: Ask[Any], error: Busy | Unavailable) -> Any:
        """What is answered for a daemon that is away; None where nothing can be."""
        if ask.reply is Reservation and self.away != "deny" and isinstance(error, Unavailable):
            log.warning("%s: the call goes on without a hold", error)
            return Reservation("", "unbacked", "away", *_who(ask))
        if ask.reply is not Booked:
            return None
        if self.away == "allow":
            log.warning("%s: usage is forgotten: %s", error, ask.fields)
            return Booked("dropped", "dropped")
        self.spool.put(ask)
        log.warning("%s: usage is queued in %s", error, self.spool.directory)
        return Booked("queued", "queued")

    def deliver(self, most: int | None = None) -> Flow[Delivered]:
        """Send what is queued, oldest first, until the daemon is away again."""
        return Delivery(self.spool).run(most)


def _who(ask: Ask[Any]) -> tuple[str, str]:
    return str(ask.fields.get("component", "")), str(ask.fields["model"])
