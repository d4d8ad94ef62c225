"""What is in force: a change is written down, taken into the catalogue, bound into a new book.

Then whatever was booked at a provisional price is corrected, and only then the caller hears.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from anyio.to_thread import run_sync

from actors.prices.catalogue import Catalogue
from actors.prices.change import Change
from actors.prices.correct import corrections
from actors.runtime import Awaited
from actors.tell import Tell
from actors.time import LedgerTime
from protocols.errors import BudgetError
from protocols.journal import Append, Draft, FindProvisional, StoredBooking
from protocols.message import DAEMON, Call, Caller
from protocols.prices import PriceBook

PAGE = 500
"""Provisional bookings that are corrected in one step."""
Reply = Callable[[int], object]
"""From the number of corrected bookings to what the caller hears."""


class Spawn(Protocol):
    """Do something beside the inbox."""

    def __call__(self, work: Callable[..., Any], *args: object) -> None: ...


@dataclass(slots=True)
class Kept:
    """A change is on disk."""

    change: Change
    reply: Reply


@dataclass(slots=True)
class Bound:
    """A book was made; `number` tells newer from older."""

    number: int
    book: PriceBook
    reply: Reply


class InForce:
    """The catalogue and the book that is made of it."""

    def __init__(
        self,
        tell: Tell,
        time: LedgerTime,
        catalogue: Catalogue,
        publish: Callable[[PriceBook], None],
        spawn: Spawn,
    ) -> None:
        self.tell = tell
        self.time = time
        self.catalogue = catalogue
        self.publish = publish
        self.spawn = spawn
        self.book_ms = time.now_ms()
        self.book = catalogue.book(self.book_ms)
        self._made = 0
        self._bound = 0

    def keep(self, change: Change, call: Call[Any], reply: Reply) -> None:
        """Write a change down; it takes effect when it is on disk."""
        self.spawn(self._keep, change, call, reply)

    def kept(self, found: Kept, call: Call[Any]) -> None:
        found.change.take_effect(self.catalogue)
        self.bind(call, found.reply)

    def bind(self, call: Call[Any], reply: Reply) -> None:
        """Make the book of now, on a thread: it has thousands of pages."""
        self._made += 1
        self.book_ms = self.time.now_ms()
        versions = self.catalogue.in_force(self.book_ms)
        self.spawn(self._bind, self._made, versions, call, reply)

    def bound(self, made: Bound, call: Call[Any]) -> None:
        if made.number > self._bound:
            self._bound, self.book = made.number, made.book
            self.publish(made.book)
        self.spawn(self.correct, call, made.reply)

    async def write(self, draft: Draft, caller: Caller = DAEMON) -> None:
        """Return when it is on disk. Raises what the journal refuses with."""
        written = Awaited(caller)
        self.tell("journal", Append([draft], answer=True), written)
        await written.reply()

    async def correct(self, call: Call[Any], reply: Reply) -> None:
        """Give provisional bookings their price, as far as there is one now."""
        corrected, after = 0, 0
        try:
            while True:
                asked = Awaited()
                self.tell("journal", FindProvisional(after, PAGE), asked)
                found: list[StoredBooking] = await asked.reply()
                ask = corrections(found, self.book, call.caller.name)
                if ask.corrections:
                    counted = Awaited(call.caller)
                    self.tell("policy", ask, counted)
                    corrected += await counted.reply()
                if len(found) < PAGE:
                    break
                after = found[-1].seq
        except BudgetError as error:
            call.refuse(error)
        else:
            call.answer(reply(corrected))

    async def _keep(self, change: Change, call: Call[Any], reply: Reply) -> None:
        try:
            for draft in change.drafts(call.caller.name):
                await self.write(draft, call.caller)
        except BudgetError as error:
            call.refuse(error)
        else:
            self.tell("prices", Kept(change, reply), call)

    async def _bind(self, number: int, versions: list[Any], call: Call[Any], reply: Reply) -> None:
        book = await run_sync(self.catalogue.base.with_versions, versions)
        self.tell("prices", Bound(number, book, reply), call)
