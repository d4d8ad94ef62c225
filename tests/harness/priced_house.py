"""Journal, policy engine, ledgers and the price monitor, under a clock of our own; no doors."""

import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from actors.journal.journal import Journal
from actors.ports import PriceSource
from actors.prices.catalogue import Catalogue
from actors.prices.inflow import Inflow
from actors.prices.monitor import PriceMonitor
from actors.runtime import ActorLoop, Ref
from actors.spine import Builder
from actors.supervision import Child, Roster, Spine, Supervisor
from actors.time import LedgerTime
from daemon.journal.store import SqliteStore
from protocols.message import Caller, Request
from protocols.operations import BY_NAME
from protocols.prices import PriceBook
from protocols.tiers import DEFAULT
from tests.harness.clock import FakeClock

ADMIN = Caller("tester", "admin")

Ask = Callable[[str, Request[Any]], Coroutine[Any, Any, Any]]


@asynccontextmanager
async def priced_house(
    data_dir: Path, clock: FakeClock, base: PriceBook, sources: Iterable[PriceSource] = ()
) -> AsyncIterator[Ask]:
    """Put them together as `daemon.run` does; what it gives asks by an operation's name."""
    store = await SqliteStore.open(data_dir)
    begin = await store.start()
    time = LedgerTime(clock, begin.at_ms)
    roster = Roster()
    book = Catalogue(base, await store.prices()).book(time.now_ms())
    builder = Builder(roster, store, time, book, DEFAULT, components_max=100, open_max=10_000)
    inflow = Inflow(sources, time, refresh_hours=0, stale_hours=72, random=random.Random(1))

    async def start() -> Ref:
        kept = await store.prices()
        await inflow.remember(kept.sources)
        catalogue = Catalogue(base, kept)
        return PriceMonitor.start(roster.tell, time, catalogue, inflow, builder.change_book)

    async def ask(name: str, request: Request[Any]) -> Any:
        return await builder.ask(BY_NAME[name].address(request), request, ADMIN)

    try:
        async with roster, ActorLoop(), Supervisor(roster) as supervisor:
            journal = Journal.start(roster.tell, time, store, begin)
            supervisor.watch_journal("journal", journal)
            await supervisor.start_spine(Spine(builder.start, builder.flush))
            await supervisor.start_organ(Child("prices", start))
            yield ask
    finally:
        await store.close()
