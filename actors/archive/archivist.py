"""The archivist: moves one closed month after the other out of the journal's database.

A month is copied beside everything else, written down, and from then on read from its file; only
then the database lets go of it, in small portions between commits. Whoever dies in between leaves a
copy that counts for nothing, or a month that has moved and is cleared away at the next start.
"""

from dataclasses import dataclass
from typing import Any, assert_never

import anyio

from actors.archive.vault import CopyMonth, Vault
from actors.journal.take_out import Left, TakeOut
from actors.ports import StorageFailed
from actors.runtime import Awaited, ServiceActor
from actors.tell import Tell
from actors.time import LedgerTime
from protocols.archive import Archive, ArchiveMonths, Doing, ShowArchive
from protocols.errors import BudgetError, Unavailable
from protocols.journal import Append, Draft
from protocols.message import DAEMON, Call, Caller
from protocols.month import closed_before_ms

EVERY_S = 3_600.0
PAUSE_S = 0.005
"""Between portions, so that the writer is there for others most of the time."""


@dataclass(slots=True)
class Due:
    """The timer: a month may be due."""


Heard = ArchiveMonths | ShowArchive | Due


class Archivist(ServiceActor):
    """Knows what it is doing, and nothing else: what is archived, the journal says."""

    def __init__(self, tell: Tell, time: LedgerTime, vault: Vault, after_months: int) -> None:
        super().__init__("archive")
        self.tell = tell
        self.time = time
        self.vault = vault
        self.after_months = after_months
        self.next_look = time.monotonic()
        self.before_ms = 0
        """What was before this moment is to be archived, for whoever asked for most."""
        self.caller = DAEMON
        self.now = Archive()
        self.copying: CopyMonth | None = None
        self.stopping = False
        self.ended = anyio.Event()
        self.ended.set()

    def receive(self, message: Heard, call: Call[Any]) -> None:
        match message:
            case ArchiveMonths():
                self.begin(closed_before_ms(self.time.now_ms(), message.after_months), call.caller)
                self.spawn(self.show, 0.0, call)
            case ShowArchive():
                self.spawn(self.show, message.wait_s, call)
            case Due():
                self.look()
            case _:
                assert_never(message)

    def look(self) -> None:
        """Now and then, and soon after a start: an earlier life may have left something over."""
        if self.time.monotonic() >= self.next_look:
            self.next_look = self.time.monotonic() + EVERY_S
            months = self.after_months
            self.begin(closed_before_ms(self.time.now_ms(), months) if months else 0, DAEMON)

    def on_stop(self) -> None:
        """Half a copy is no loss; nobody waits for the rest of it."""
        self.stopping = True
        if self.copying is not None:
            self.copying.stop = True

    def begin(self, before_ms: int, caller: Caller) -> None:
        """Whoever asks while there is work gets what they asked for in the same course."""
        if before_ms > self.before_ms:
            self.before_ms, self.caller = before_ms, caller
        if self.ended.is_set():
            self.ended = anyio.Event()
            self.now = Archive(status="working")
            self.spawn(self.work)

    async def work(self) -> None:
        try:
            if await self.vault.archived_months():
                await self.clear_away()
            while not self.stopping and await self.move_month():
                await self.clear_away()
        except BudgetError as error:
            self.now.failed = error.detail
        except StorageFailed as error:  # beside the journal: it goes on
            self.now.failed = f"cannot write the file: {error}"
        finally:
            self.before_ms = 0
            self.now.status, self.now.doing, self.now.month = "idle", None, None
            self.ended.set()

    async def move_month(self) -> bool:
        """Copy the next month, and write down that its file counts; False if none is due."""
        before_ms = self.before_ms
        flushed = Awaited()
        self.tell("journal", Append([], answer=True), flushed)
        await flushed.reply()  # what is in the past now is on disk
        self.copying = CopyMonth(before_ms, self.progress)
        copied = await self.vault.copy_month(self.copying)
        if copied is None:
            return self.before_ms > before_ms  # more was asked for meanwhile
        written = Awaited(self.caller)
        draft = Draft("archived", "", copied["month"], copied | {"by": self.caller.name})
        self.tell("journal", Append([draft], answer=True), written)
        await written.reply()
        return True

    async def clear_away(self) -> None:
        """Until nothing is left over."""
        ask, total = TakeOut(), 0
        while not self.stopping:
            taken = Awaited()
            self.tell("journal", ask, taken)
            left: Left = await taken.reply()
            if left.doing != self.now.doing:
                total = left.left
            self.progress(left.doing, left.month, total - left.left, total)
            if left.doing == "giving back" and not left.left:
                return
            ask = TakeOut(left.month, left.after)
            await anyio.sleep(PAUSE_S)

    def progress(self, doing: Doing, month: str | None, done: int, total: int) -> None:
        """Called on the copying thread, too."""
        self.now.doing, self.now.month = doing, month
        self.now.done, self.now.total = done, total

    async def show(self, wait_s: float, call: Call[Archive]) -> None:
        with anyio.move_on_after(wait_s):
            await self.ended.wait()
        now = self.now
        try:
            months = await self.vault.archived_months()
        except StorageFailed as error:
            call.refuse(Unavailable(f"the store cannot be read: {error}", outcome="not-applied"))
            return
        call.answer(
            Archive(months, now.status, now.doing, now.month, now.done, now.total, now.failed)
        )
