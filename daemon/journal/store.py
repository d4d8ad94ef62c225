"""The `Store` port on SQLite through aiosqlite: one connection writes, three only read."""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
import anyio

from actors.alerts.dispatch import Dispatch
from actors.archive.vault import CopyMonth
from actors.journal.take_out import Left, TakeOut
from actors.ports import Batch, KeptKey, Start, StorageFailed
from actors.prices.known import PriceState
from actors.totals import ModelTotals
from daemon.journal import holds, imports, outbox, past, prices, read, report, write
from daemon.journal.archive.copy import copy_month
from daemon.journal.archive.sealed import archived_months
from daemon.journal.archive.take_out import take_out
from daemon.journal.faults import Damaged
from daemon.journal.files import DATABASE, connect_reader
from daemon.journal.guard import Guard
from daemon.journal.rollups import Facets
from daemon.journal.start import load
from daemon.journal.totals import totals
from protocols.alerts import Alerts, AlertShown, ListAlerts
from protocols.archive import ArchivedMonth
from protocols.errors import Unavailable
from protocols.events import Events, ListEvents, ReadEvents, StoredEvent
from protocols.imports import (
    FindImported,
    FindImportRows,
    ImportRows,
    Imports,
    Known,
    ListImports,
)
from protocols.journal import (
    Entries,
    FindProvisional,
    FoldBookings,
    FoldKeys,
    FoldPast,
    ListEntries,
    StoredBooking,
    StoredHold,
)
from protocols.ledger import Holds, ListAllocations, ListReservations
from protocols.reports import ShowReport, SpendReport

T = TypeVar("T")
KEYS_AT_ONCE = 1_000
"""Keys that are forgotten in one go: some milliseconds of the writer's time."""


class Connection(aiosqlite.Connection):
    """Runs a whole function on the connection's own thread.

    A transaction that is one function cannot be left half-done by a caller who goes away, and
    costs one change of threads instead of one for each statement.
    """

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        try:
            with anyio.CancelScope(shield=True):
                result: T = await self._execute(work, self._conn, *args)  # type: ignore[no-untyped-call]
        except (sqlite3.Error, OSError) as error:
            raise StorageFailed(f"{type(error).__name__}: {error}") from error
        except Damaged as fault:
            raise Unavailable(str(fault), outcome="not-applied") from fault
        return result

    @classmethod
    async def open(cls, connector: Callable[[], sqlite3.Connection]) -> "Connection":
        """What is refused is refused before there is a thread that would have to be ended."""
        db = await anyio.to_thread.run_sync(connector)
        connection = cls(lambda: db, 64)
        await connection
        return connection


class SqliteStore:
    """Open it with `await SqliteStore.open(data_dir)`; close it in the end."""

    def __init__(
        self,
        path: Path,
        guard: Guard,
        writer: Connection,
        look_ups: Connection,
        lists: Connection,
        reports: Connection,
    ) -> None:
        self.path = path
        self._guard = guard
        self._writer = writer
        self._look_ups = look_ups
        self._lists = lists
        self._reports = reports
        self._facets = Facets()

    @classmethod
    async def open(cls, data_dir: Path, *, accept_loss: bool = False) -> "SqliteStore":
        """Raises a `JournalFault` with its exit code when the file cannot be trusted."""
        path = data_dir / DATABASE
        open_guarded = partial(Guard.open, data_dir, accept_loss=accept_loss)
        guard = await anyio.to_thread.run_sync(open_guarded)
        writer = await Connection.open(lambda: guard.db)
        try:
            look_ups = await Connection.open(lambda: connect_reader(path))
            lists = await Connection.open(lambda: connect_reader(path))
            reports = await Connection.open(lambda: connect_reader(path))
        except BaseException:
            await writer.close()
            raise
        return cls(path, guard, writer, look_ups, lists, reports)

    async def close(self) -> None:
        """Readers first: the last connection to close folds the log into the database."""
        for connection in (self._reports, self._lists, self._look_ups, self._writer):
            await connection.close()
        self._guard.close()

    async def let_go(self) -> None:
        for connection in (self._reports, self._lists, self._look_ups):
            await connection.interrupt()

    @property
    def loss(self) -> str | None:
        """What is missing from a journal that was accepted with a loss."""
        return self._guard.loss

    async def append(self, batch: Batch) -> None:
        await self._writer.run(self._write, batch)

    def _write(self, db: sqlite3.Connection, batch: Batch) -> None:
        write.write(db, batch, self._facets)
        if batch.entries:
            last = batch.entries[-1]
            self._guard.wrote(last.seq, last.hash)

    async def purge_keys(self, before_ms: int) -> bool:
        return await self._writer.run(self._purge, before_ms)

    def _purge(self, db: sqlite3.Connection, before_ms: int) -> bool:
        gone = db.execute(write.PURGE_KEYS, (KEYS_AT_ONCE, before_ms)).rowcount
        self._guard.look()
        return gone == KEYS_AT_ONCE

    async def take_out(self, ask: TakeOut) -> Left:
        return await self._writer.run(take_out, ask)

    async def copy_month(self, ask: CopyMonth) -> dict[str, Any] | None:
        return await self._aside(copy_month, ask)

    async def archived_months(self) -> list[ArchivedMonth]:
        return await self._look_ups.run(archived_months)

    async def find_key(self, key: bytes) -> KeptKey | None:
        return await self._look_ups.run(read.find_key, key)

    async def find_hold(self, hold: str) -> StoredHold | None:
        return await self._look_ups.run(holds.find_hold, hold)

    async def list_entries(self, ask: ListEntries) -> Entries:
        return await self._lists.run(read.list_entries, ask)

    async def list_events(self, ask: ListEvents) -> Events:
        return await self._lists.run(outbox.list_events, ask)

    async def read_events(self, ask: ReadEvents) -> list[StoredEvent]:
        return await self._look_ups.run(outbox.read_events, ask)

    async def list_alerts(self, ask: ListAlerts) -> Alerts:
        return await self._lists.run(outbox.list_alerts, ask)

    async def find_alert(self, name: str) -> AlertShown | None:
        return await self._lists.run(outbox.find_alert, name)

    async def dispatch(self) -> Dispatch:
        """Where the alert dispatcher goes on."""
        return await self._lists.run(outbox.dispatch)

    async def totals(self) -> list[ModelTotals]:
        """Everything ever booked, by provider and model."""
        return await self._lists.run(totals)

    async def list_holds(self, ask: ListReservations | ListAllocations) -> Holds:
        return await self._lists.run(holds.list_holds, ask)

    async def show_report(self, ask: ShowReport, now_ms: int) -> SpendReport:
        return await self._reports.run(report.show_report, ask, now_ms)

    async def prices(self) -> PriceState:
        return await self._lists.run(prices.load)

    async def tokens(self) -> list[dict[str, Any]]:
        return await self._lists.run(read.tokens)

    async def proposals(self) -> list[dict[str, Any]]:
        return await self._lists.run(read.proposals)

    async def provisional(self, ask: FindProvisional) -> list[StoredBooking]:
        return await self._lists.run(prices.provisional, ask)

    async def fold_bookings(self, ask: FoldBookings) -> None:
        await self._aside(prices.fold, ask)

    async def imported(self, ask: FindImported) -> dict[str, Known]:
        return await self._lists.run(imports.find, ask)

    async def import_rows(self, ask: FindImportRows) -> ImportRows:
        return await self._lists.run(imports.rows, ask)

    async def list_imports(self, ask: ListImports) -> Imports:
        return await self._lists.run(imports.list_imports, ask)

    async def fold_past(self, ask: FoldPast) -> None:
        await self._aside(past.fold, ask)

    async def fold_keys(self, ask: FoldKeys) -> None:
        await self._aside(read.fold_keys, ask)

    async def _aside(self, work: Callable[..., T], ask: object) -> T:
        """Long, so it keeps nobody else's connection busy."""
        connection = await Connection.open(lambda: connect_reader(self.path))
        try:
            return await connection.run(work, ask)
        finally:
            with anyio.CancelScope(shield=True):
                await connection.close()

    async def start(self) -> Start:
        """Raises `Damaged` when what is on disk cannot be read."""
        try:
            return await self._lists.run(load)
        except Unavailable as fault:
            raise Damaged(fault.detail) from fault
        except (StorageFailed, KeyError, ValueError, TypeError) as error:
            raise Damaged(f"{self.path} cannot be read: {error!r}; restore a backup") from error
