"""The world as actors see it: a clock, a store, price sources, Hermes."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from actors.alerts.outbox import News, OutboxStart
from actors.hermes.card import Card, Tool
from actors.journal.projection import Changes
from actors.journal.take_out import Left, TakeOut
from actors.policy.state import EngineState
from actors.prices.known import PriceState
from protocols.alerts import Alerts, AlertShown, ListAlerts
from protocols.events import Events, ListEvents, Place, ReadEvents, StoredEvent
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
    Entry,
    FindProvisional,
    FoldBookings,
    FoldKeys,
    FoldPast,
    ListEntries,
    StoredBooking,
    StoredHold,
)
from protocols.ledger import Holds, ListAllocations, ListReservations
from protocols.prices.offer import Reading
from protocols.reports import ShowReport, SpendReport


class Clock(Protocol):
    """Wall time for windows and entries, monotonic time for deadlines."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward, whatever the wall clock does."""
        ...


@dataclass(slots=True)
class Fetched:
    """What a source said, and the proof: the file's digest and the server's own version of it."""

    reading: Reading
    sha256: str
    etag: str | None
    at_ms: int
    """When the server last confirmed the file, by sending it or by saying that it still holds."""
    size_bytes: int
    changed: bool
    """Whether the file is another than at the fetch before."""


class PriceSource(Protocol):
    """Somebody who says what models cost. Sources that copy each other are one family."""

    name: str
    family: str

    async def fetch(self, today: date) -> Fetched:
        """Everything it says to hold on that day. Raises `SourceFailed`."""
        ...

    def kept(self, today: date) -> Fetched | None:
        """What it said at the last fetch, from disk; None if there is nothing usable."""
        ...


class Hermes(Protocol):
    """Tekton's registry of components. Every call has its deadline; each raises `HermesFailed`."""

    async def register(self, card: Card, endpoint: str) -> str:
        """List us, or list us anew; the token is for what comes after."""
        ...

    async def heartbeat(self, name: str, token: str, condition: dict[str, Any]) -> None:
        """Raises `TokenRejected` when it is not ours any more."""
        ...

    async def listed(self, name: str) -> bool: ...

    async def unregister(self, name: str, token: str) -> None: ...

    async def offer(self, tool: Tool, endpoint: str) -> None: ...

    async def withdraw(self, tool: str) -> None: ...


class HermesFailed(Exception):
    """Hermes gave no answer that can be used: timeout, connection, status, shape."""

    def __init__(self, detail: str, reason: str) -> None:
        super().__init__(detail)
        self.reason = reason


class TokenRejected(HermesFailed):
    """The token is expired or foreign: register again."""


class SourceFailed(Exception):
    """A price source gave nothing that can be used; the prices in force stay.

    `reason` is one word for metrics and alerts: timeout, too-large, status, redirect, address,
    tls, connection, shape.
    """

    def __init__(self, detail: str, reason: str = "shape") -> None:
        super().__init__(detail)
        self.reason = reason


class Notifier(Protocol):
    """A way to somebody who is not connected: a log, a webhook, a messenger."""

    async def deliver(self, events: list[StoredEvent]) -> None:
        """All of them, as one message. Raises `NotDelivered`."""
        ...


class NotDelivered(Exception):
    """Nobody took it; it will be tried again."""


class StorageFailed(Exception):
    """The store broke. Whether the last batch is on disk, only a restart can tell."""


@dataclass(slots=True)
class KeptKey:
    """An idempotency record: the answer as JSON, and whether it is a refusal."""

    key: bytes
    fingerprint: bytes
    refused: bool
    answer: str
    at_ms: int


@dataclass(slots=True)
class Batch:
    """One transaction: entries, what they change, the keys they answer."""

    entries: list[Entry]
    changes: Changes
    keys: list[KeptKey]
    news: News = field(default_factory=News)
    places: list[Place] = field(default_factory=list)


@dataclass(slots=True)
class Start:
    """What actors are rebuilt from."""

    seq: int = 0
    at_ms: int = 0
    hash: bytes = bytes(32)
    engine: EngineState = field(default_factory=EngineState)
    ledgers: dict[int, str] = field(default_factory=dict)
    priced: set[str] = field(default_factory=set)
    holds: dict[str, list[StoredHold]] = field(default_factory=dict)
    """Open holds by component."""
    keys: frozenset[bytes] | None = frozenset()
    """Every idempotency key in use; None when they are too many to keep in memory."""
    outbox: OutboxStart = field(default_factory=OutboxStart)


class Store(Protocol):
    """Where the journal lives. Narrow, so that another database is one more file."""

    async def append(self, batch: Batch) -> None:
        """All of it durably, or none. Raises `StorageFailed`."""
        ...

    async def find_key(self, key: bytes) -> KeptKey | None: ...

    async def find_hold(self, hold: str) -> StoredHold | None: ...

    async def list_entries(self, ask: ListEntries) -> Entries: ...

    async def show_report(self, ask: ShowReport, now_ms: int) -> SpendReport:
        """From roll-ups alone, beside everything else."""
        ...

    async def prices(self) -> PriceState:
        """Everything decided about prices."""
        ...

    async def tokens(self) -> list[dict[str, Any]]:
        """The bodies of the entries that made the tokens there are."""
        ...

    async def proposals(self) -> list[dict[str, Any]]:
        """Every proposal as its last entry left it, the oldest first."""
        ...

    async def provisional(self, ask: FindProvisional) -> list[StoredBooking]:
        """Bookings that no price has corrected yet."""
        ...

    async def fold_bookings(self, ask: FoldBookings) -> None:
        """Show `ask.add` each booking in question, on the store's own thread."""
        ...

    async def list_events(self, ask: ListEvents) -> Events: ...

    async def read_events(self, ask: ReadEvents) -> list[StoredEvent]: ...

    async def list_alerts(self, ask: ListAlerts) -> Alerts: ...

    async def find_alert(self, name: str) -> AlertShown | None: ...

    async def fold_past(self, ask: FoldPast) -> None:
        """Show `ask.add` the entries in question, on a thread and a connection of its own."""
        ...

    async def fold_keys(self, ask: FoldKeys) -> None:
        """Hand over every key, on a thread and a connection of its own."""
        ...

    async def list_holds(self, ask: ListReservations | ListAllocations) -> Holds: ...

    async def imported(self, ask: FindImported) -> dict[str, Known]: ...

    async def import_rows(self, ask: FindImportRows) -> ImportRows: ...

    async def list_imports(self, ask: ListImports) -> Imports: ...

    async def purge_keys(self, before_ms: int) -> bool:
        """Forget some idempotency records older than this; whether there may be more."""
        ...

    async def take_out(self, ask: TakeOut) -> Left:
        """A portion of what lies in sealed files leaves the database."""
        ...

    async def let_go(self) -> None:
        """End what is being read, however long it would have taken."""
        ...

    async def start(self) -> Start:
        """Everything the actors need, from roll-ups and open holds."""
        ...
