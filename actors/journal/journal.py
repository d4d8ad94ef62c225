"""The journal: the one writer. Everything queued while the disk works rides the next commit."""

import logging
from dataclasses import dataclass
from typing import Any, assert_never

import anyio
from anyio.lowlevel import checkpoint

from actors.alerts.outbox import Outbox
from actors.journal.chain import link
from actors.journal.look_up import Look, look_up
from actors.journal.projection import Changes
from actors.journal.take_out import TakeOut
from actors.ports import Batch, KeptKey, Start, StorageFailed, Store
from actors.runtime import NOBODY, ServiceActor
from actors.tell import Tell
from actors.time import LedgerTime
from protocols.alerts import ListAlerts, ShowAlert
from protocols.errors import BudgetError, Unavailable
from protocols.events import ListEvents, ReadEvents
from protocols.imports import FindImported, FindImportRows, ListImports
from protocols.journal import (
    Append,
    FindKey,
    FindProvisional,
    FoldBookings,
    FoldKeys,
    FoldPast,
    KeyFound,
    ListEntries,
    Recall,
    Recalled,
)
from protocols.ledger import ListAllocations, ListReservations
from protocols.message import Call, Request
from protocols.names import entry_id
from protocols.reports import ShowReport
from protocols.stored_answer import keep

log = logging.getLogger("budget.journal")

BATCH_MAX = 2000
"""Appends in one transaction: bounds how long the first of them waits for the last."""


HOPS = 5
"""Turns of the loop from a socket through ledger, engine and ledger to here."""
GATHER_S = 0.005
"""At most so long is waited for company."""


@dataclass(slots=True)
class PurgeKeys:
    """The timer: forget idempotency records older than this."""

    before_ms: int


class Flush(Request[bool]):
    """Answered when everything handed over before is on disk."""


@dataclass(slots=True)
class Broke:
    """The store failed under a commit."""

    error: StorageFailed


Read = FindKey | Recall | Look
Write = Append | PurgeKeys | TakeOut
Heard = Write | Read | Broke | Flush


@dataclass(slots=True)
class Queued:
    """An append or a read with its call; a read waits for everything before it."""

    message: Write | Read
    call: Call[Any]


class Journal(ServiceActor):
    """Numbers, chains, writes, then answers. It never answers what is not on disk."""

    def __init__(self, tell: Tell, time: LedgerTime, store: Store, start: Start) -> None:
        super().__init__("journal")
        self.tell = tell
        self.time = time
        self.store = store
        self.seq = start.seq
        self.hash = start.hash
        self.outbox = Outbox(start.outbox)
        self.queue: list[Queued] = []
        self.taken: list[Queued] = []
        """What rides the commit that is under way."""
        self.crowded = False
        """Whether the last commit was of more than one."""
        self.failed = False
        self.writing = False
        self.idle = anyio.Event()
        self.idle.set()

    def receive(self, message: Heard, call: Call[Any]) -> None:
        match message:
            case (
                Append() | PurgeKeys() | TakeOut() | FindKey() | Recall()
                | ListEntries() | ShowReport() | ListReservations() | ListAllocations()
                | FindProvisional() | FoldBookings() | FoldPast() | FoldKeys()
                | ListEvents() | ReadEvents() | ListAlerts() | ShowAlert()
                | FindImported() | FindImportRows() | ListImports()
            ):  # fmt: skip
                if self.failed:
                    raise unsure()
                self.queue.append(Queued(message, call))
                if not self.writing:
                    self.writing = True
                    self.idle = anyio.Event()
                    self.spawn(self.write)
            case Flush():
                self.receive(Append([], answer=True), call)
            case Broke():
                raise message.error
            case _:
                assert_never(message)

    async def on_stop(self) -> None:  # type: ignore[override]
        """Nothing that was handed over is left unwritten; who still reads is told to leave."""
        await self.idle.wait()
        await self.store.let_go()

    async def write(self) -> None:
        """Commit batch after batch until nothing waits."""
        try:
            with anyio.CancelScope(shield=True):
                while self.queue:
                    if self.crowded:
                        await self.gather()
                    self.taken, self.queue = self.queue[:BATCH_MAX], self.queue[BATCH_MAX:]
                    self.crowded = len(self.taken) > 1
                    appends = [one for one in self.taken if type(one.message) is Append]
                    await self.commit(appends)
                    if len(appends) != len(self.taken):
                        await self.go_on(self.taken)
        except StorageFailed as error:
            log.critical("the store failed, no more is written: %s", error)
            self.failed = True
            for one in (*self.taken, *self.queue):
                one.call.refuse(unsure())
            self.tell("journal", Broke(error), NOBODY)
        finally:
            self.writing = False
            self.idle.set()

    async def gather(self) -> None:
        """Let those come along who are on their way here already: until the loop has been round
        without bringing anyone, and not for long. Disk and loop then work in turn rather than
        against each other, and more calls share a commit.
        """
        until_s = anyio.current_time() + GATHER_S
        came, quiet = len(self.queue), 0
        while quiet < HOPS and anyio.current_time() < until_s:
            await checkpoint()
            quiet = quiet + 1 if len(self.queue) == came else 0
            came = len(self.queue)

    async def clear_away(self, one: Queued) -> None:
        """A portion of what need not be there any more; if more is left, its turn comes again."""
        if isinstance(one.message, PurgeKeys):
            if await self.store.purge_keys(one.message.before_ms):
                self.queue.append(one)
            return
        assert isinstance(one.message, TakeOut)
        try:
            one.call.answer(await self.store.take_out(one.message))
        except BudgetError as refusal:
            one.call.refuse(refusal)

    async def go_on(self, taken: list[Queued]) -> None:
        """With what is not written: reads begin, now that all before them is on disk."""
        for one in taken:
            match one.message:
                case Append():
                    pass
                case PurgeKeys() | TakeOut():
                    await self.clear_away(one)
                case _:
                    self.spawn(self.read, one.message, one.call)

    async def commit(self, taken: list[Queued]) -> None:
        batch = self.number(taken)
        if batch.entries or batch.keys or batch.places:
            await self.store.append(batch)
        if batch.news.events:
            self.tell("alerts", batch.news, NOBODY)
        for one in taken:
            assert isinstance(one.message, Append)
            answer(one.call, one.message.answer)

    def number(self, taken: list[Queued]) -> Batch:
        """Give entries their places in the chain, and answers their entry ids."""
        at_ms = self.time.now_ms()
        batch = Batch([], Changes(), [])
        for one in taken:
            append = one.message
            assert isinstance(append, Append)
            via = one.call.caller.via
            for draft in append.drafts:
                self.seq += 1
                if via is not None:
                    draft.body["via"] = via
                entry = link(self.hash, self.seq, at_ms, draft)
                self.hash = entry.hash
                batch.entries.append(entry)
                batch.changes.add(entry)
                self.outbox.take(entry, batch.news)
            if append.stamp:
                append.answer.entry_id = entry_id(self.seq)
            if append.place is not None:
                batch.places.append(append.place)
            if append.key is not None:
                refused, text = keep(append.answer)
                key = append.key
                batch.keys.append(KeptKey(key.key, key.fingerprint, refused, text, at_ms))
        return batch

    async def read(self, ask: Read, call: Call[Any]) -> None:
        """From what is on disk, through connections that only read."""
        try:
            match ask:
                case FindKey():
                    kept = await self.store.find_key(ask.key)
                    self.tell(ask.ledger, key_found(kept, ask.memo), call)
                case Recall():
                    hold = await self.store.find_hold(ask.hold)
                    self.tell(ask.ledger, Recalled(hold, ask.memo), call)
                case _:
                    await look_up(self.store, ask, self.time.now_ms(), call)
        except BudgetError as refusal:
            call.refuse(refusal)
        except StorageFailed as error:
            log.exception("a read failed")
            call.refuse(Unavailable(f"the store cannot be read: {error}", outcome="not-applied"))


def unsure() -> Unavailable:
    """Whether a commit that failed is on disk is seen only by who reads it anew."""
    hint = "ask again with the same key once the daemon is back"
    return Unavailable("the store failed", hint=hint, outcome="unknown")


def answer(call: Call[Any], reply: Any) -> None:
    if isinstance(reply, BudgetError):
        call.refuse(reply.again())
    else:
        call.answer(reply)


def key_found(kept: KeptKey | None, memo: Any) -> KeyFound:
    if kept is None:
        return KeyFound(None, None, refused=False, memo=memo)
    return KeyFound(kept.fingerprint, kept.answer, kept.refused, memo)
