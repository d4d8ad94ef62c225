"""The organs: what budgets go on without. Each is rebuilt from the journal, at first and anew."""

from random import Random

from actors.alerts.dispatcher import AlertDispatcher
from actors.alerts.feed import LiveFeed
from actors.archive.archivist import Archivist
from actors.hindsight.hindsight import Hindsight
from actors.imports.importer import Importer
from actors.prices.catalogue import Catalogue
from actors.prices.inflow import Inflow
from actors.prices.monitor import PriceMonitor
from actors.runtime import Ref
from actors.spine import Builder
from actors.supervision import Child, Roster
from actors.time import LedgerTime
from actors.tokens.known import KnownTokens
from actors.tokens.registrar import Registrar
from daemon.channels.build import Ways
from daemon.config import Settings
from daemon.journal.store import SqliteStore
from daemon.prices.feeds import feeds
from protocols.prices import PriceBook


def inflow_of(settings: Settings, time: LedgerTime) -> Inflow:
    return Inflow(
        feeds(settings, time), time, refresh_hours=settings.prices.refresh_hours,
        stale_hours=settings.prices.stale_hours, random=Random(),  # noqa: S311  # jitter
    )  # fmt: skip


def price_monitor(
    roster: Roster, store: SqliteStore, base: PriceBook, inflow: Inflow, builder: Builder
) -> Child:
    """Rebuilt from what the journal has, at the start and after every fall."""

    async def start() -> Ref:
        kept = await store.prices()
        await inflow.remember(kept.sources)
        return PriceMonitor.start(
            roster.tell, inflow.time, Catalogue(base, kept), inflow, builder.change_book
        )

    return Child("prices", start)


def hindsight(roster: Roster, time: LedgerTime, builder: Builder) -> Child:
    """Knows the prices of whatever moment it is asked in."""

    async def start() -> Ref:
        return Hindsight.start(
            roster.tell, time, lambda: builder.book, builder.tiers, builder.router
        )

    return Child("hindsight", start)


def registrar(roster: Roster, store: SqliteStore, time: LedgerTime, tokens: KnownTokens) -> Child:
    async def start() -> Ref:
        return Registrar.start(roster.tell, time, tokens, await store.tokens())

    return Child("tokens", start)


def importer(roster: Roster, builder: Builder) -> Child:
    async def start() -> Ref:
        return Importer.start(roster.tell, builder.tiers)

    return Child("imports", start)


def archivist(roster: Roster, store: SqliteStore, time: LedgerTime, settings: Settings) -> Child:
    async def start() -> Ref:
        after_months = settings.journal.archive_after_months
        return Archivist.start(roster.tell, time, store, after_months)

    return Child("archive", start)


def alert_dispatcher(
    roster: Roster, store: SqliteStore, time: LedgerTime, feed: LiveFeed, ways: Ways
) -> Child:
    """Goes on where the outbox was read last."""

    async def start() -> Ref:
        return AlertDispatcher.start(roster.tell, time, feed, await store.dispatch(), ways)

    return Child("alerts", start)
