"""The daemon without its doors: the real actors on the real store, under a clock of our own."""

import hashlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import anyio
from anyio.from_thread import start_blocking_portal
from anyio.lowlevel import checkpoint

from actors.alerts.channel import Channel
from actors.alerts.dispatcher import AlertDispatcher, Turn
from actors.alerts.feed import LiveFeed
from actors.archive.archivist import Archivist
from actors.journal.journal import Journal
from actors.policy.policies import Sweep
from actors.ports import Clock, Notifier
from actors.routing.router import Router
from actors.runtime import ActorLoop, Ref
from actors.spine import Builder
from actors.supervision import Child, Fate, Roster, Spine, State, Supervisor
from actors.time import LedgerTime
from daemon.journal.verify import Report, verify
from daemon.notices import part_watch
from protocols.archive import Archive, ArchiveMonths, ShowArchive
from protocols.errors import BudgetError
from protocols.message import Caller, Request
from protocols.operations import BY_NAME
from protocols.prices import PriceBook
from protocols.tiers import DEFAULT
from tests.harness.clock import FakeClock
from tests.harness.store import Breaking, BrittleStore

CALLER = Caller("tester", "admin")
DRAIN_S = 10.0
PATIENCE_S = 20.0
FALLS_MAX = 1_000
"""A story may fell the spine as often as it likes."""


@dataclass(slots=True)
class House:
    """What is alive between a start and the next end."""

    roster: Roster
    builder: Builder
    store: BrittleStore
    risen: anyio.Event
    feed: LiveFeed

    async def ask(self, to: str, request: Request[Any], caller: Caller) -> Any:
        """Give the reply, or the refusal."""
        try:
            return await self.builder.ask(to, request, caller)
        except BudgetError as refusal:
            return refusal


@asynccontextmanager
async def living(
    data_dir: Path,
    clock: FakeClock,
    book: PriceBook,
    router: Router | None = None,
    ways: Mapping[Channel, Notifier] | None = None,
) -> AsyncIterator[House]:
    """Put journal, policy engine, ledgers and alerts together as `daemon.run` does."""
    store = await BrittleStore.open(data_dir)
    try:
        async with alive(store, clock, book, Roster(), router, ways) as house:
            yield house
    finally:
        await store.close()


@asynccontextmanager
async def alive(
    store: BrittleStore,
    clock: Clock,
    book: PriceBook,
    roster: Roster,
    router: Router | None = None,
    ways: Mapping[Channel, Notifier] | None = None,
) -> AsyncIterator[House]:
    begin = await store.start()
    time = LedgerTime(clock, begin.at_ms)
    builder = Builder(
        roster, store, time, book, DEFAULT, components_max=100, open_max=10_000, router=router
    )
    feed = LiveFeed()
    house = House(roster, builder, store, anyio.Event(), feed)
    tell = part_watch(roster)

    def changed(fate: Fate) -> None:
        tell(fate)
        if fate is roster.spine and fate.state is State.RUNNING:
            house.risen.set()

    async with roster, ActorLoop(), Supervisor(roster, on_change=changed) as supervisor:
        journal = Journal.start(roster.tell, time, store, begin)
        supervisor.watch_journal("journal", journal)
        spine = Spine(builder.start, builder.flush, restart_max=FALLS_MAX)
        await supervisor.start_spine(spine)

        async def alerts() -> Ref:
            begins = await store.dispatch()
            return AlertDispatcher.start(roster.tell, time, feed, begins, ways or {})

        async def archive() -> Ref:
            return Archivist.start(roster.tell, time, store, after_months=0)

        await supervisor.start_organ(Child("alerts", alerts))
        await supervisor.start_organ(Child("archive", archive))
        yield house


class Ask(NamedTuple):
    """One request as a door would hand it in."""

    name: str
    request: Request[Any]
    key: str | None = None

    @property
    def to(self) -> str:
        return BY_NAME[self.name].address(self.request)

    @property
    def caller(self) -> Caller:
        if self.key is None:
            return CALLER
        body = f"{self.name} {self.request!r}".encode()
        return CALLER.with_key(self.key, hashlib.sha256(body).digest())


class World:
    """A data directory and the house on it, for tests that are not `async`: every call waits."""

    def __init__(self, wall_ms: int, book: PriceBook, router: Router | None = None) -> None:
        self.clock = FakeClock(wall_ms)
        self._book = book
        self._router = router
        self._stack = ExitStack()
        self._portal = self._stack.enter_context(start_blocking_portal())
        root = Path(self._stack.enter_context(TemporaryDirectory()))
        self._dirs = (root / str(number) for number in count())
        self.data_dir = next(self._dirs)
        self.data_dir.mkdir()
        self._start()

    def close(self) -> None:
        self._stop()
        self._stack.close()

    def ask(self, ask: Ask) -> Any:
        """Give the reply, or the refusal."""
        return self._call(self._house.ask, ask.to, ask.request, ask.caller)

    def ask_at_once(self, asks: Iterable[Ask], *, apart: int = 0) -> list[Any]:
        """Hand all in before any is answered, each so many turns of the loop after the last."""
        return self._call(self._ask_all, list(asks), apart)

    def sweep(self) -> None:
        """Ring the daemon's timer once."""
        self._portal.call(self._house.roster.tell, "policy", Sweep())
        self._portal.call(self._house.roster.tell, "alerts", Turn())

    def archive(self, after_months: int = 0) -> Archive:
        """Archive what is old enough, and wait until that is done."""
        shown: Archive = self.ask(Ask("archive_months", ArchiveMonths(after_months=after_months)))
        while shown.status == "working":
            shown = self.ask(Ask("show_archive", ShowArchive(wait_s=10)))
        assert shown.failed is None
        return shown

    def flush(self) -> None:
        """Wait until the journal has written what it was handed."""
        with suppress(BudgetError):
            self._call(self._house.builder.flush)

    def break_the_store(self, breaking: Breaking) -> None:
        self._house.store.breaks = breaking

    def store_broke(self) -> bool:
        """Tell whether it has; if not, it will not any more."""
        broke = self._house.store.breaks is None
        self._house.store.breaks = None
        return broke

    def fell_the_spine(self) -> None:
        """Kill the policy engine by what it cannot understand; wait until the spine has risen."""
        self._call(self._fell)

    def restart(self, down_ms: int = 0) -> None:
        """Stop in order and start again, so much later."""
        self._call(self._house.roster.drain, DRAIN_S)
        self._stop()
        self._begin_again(down_ms)

    def crash(self, down_ms: int = 0) -> None:
        """Go on from the files as they are at this moment, the write-ahead log among them.

        Whatever the old house still does on its way out, it does where nobody looks again.
        """
        self.flush()
        files = next(self._dirs)
        shutil.copytree(self.data_dir, files)
        self._stop()
        self.data_dir = files
        self._begin_again(down_ms)

    def verify(self) -> Report:
        self.flush()
        return verify(self.data_dir)

    def _call(self, work: Callable[..., Awaitable[Any]], *args: object) -> Any:
        async def in_time() -> Any:
            with anyio.fail_after(PATIENCE_S):
                return await work(*args)

        return self._portal.call(in_time)

    def _start(self) -> None:
        life = living(self.data_dir, self.clock, self._book, self._router)
        self._life = self._portal.wrap_async_context_manager(life)
        self._house = self._life.__enter__()

    def _stop(self) -> None:
        self._life.__exit__(None, None, None)

    def _begin_again(self, down_ms: int) -> None:
        self.clock.reboot()
        self.clock.pass_by(down_ms)
        self._start()

    async def _ask_all(self, asks: list[Ask], apart: int) -> list[Any]:
        answers: list[Any] = [None] * len(asks)

        async def put(index: int, ask: Ask) -> None:
            for _ in range(index * apart):
                await checkpoint()
            answers[index] = await self._house.ask(ask.to, ask.request, ask.caller)

        async with anyio.create_task_group() as group:
            for index, ask in enumerate(asks):
                group.start_soon(put, index, ask)
        return answers

    async def _fell(self) -> None:
        house = self._house
        house.risen = anyio.Event()
        house.roster.tell("policy", "what is this?")
        await house.risen.wait()
