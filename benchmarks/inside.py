"""The parts by themselves, in this process: actors, the group commit, the start from a journal."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import anyio

from actors.journal.journal import Journal
from actors.ledger.drafts import amounts_body
from actors.ports import Start
from actors.runtime import ActorLoop, ServiceActor
from actors.spine import Builder
from actors.supervision import Roster
from actors.time import LedgerTime
from benchmarks.prefill import OPEN_MAX
from daemon.clock import SystemClock
from daemon.journal.store import SqliteStore
from daemon.prices import load_book
from protocols.journal import Append, Draft
from protocols.message import DAEMON, Call, Request
from protocols.names import hold_id
from protocols.policy.charge import Amounts
from protocols.tiers import DEFAULT

CALLERS, ASKS, ROUNDS = 100, 200, 5
WRITERS, WRITES = 64, 30
HOUR_MS = 3_600_000


class Question(Request[bool]):
    """What the last of a chain answers."""


class Link(ServiceActor):
    """Passes the call on to the next, or answers it."""

    def __init__(self, roster: Roster, to: str | None) -> None:
        super().__init__("link")
        self.roster = roster
        self.to = to

    def receive(self, message: Any, call: Call[Any]) -> None:
        if self.to is None:
            call.answer(reply=True)
        else:
            self.roster.tell(self.to, message, call)


async def asks() -> dict[str, float]:
    """CPU microseconds of an ask, and of one that goes through three."""
    roster = Roster()
    async with roster, ActorLoop():
        for name, to in (("one", None), ("third", None), ("second", "third"), ("first", "second")):
            roster.register(name, Link.start(roster, to))
        return {"ask_us": await _asked(roster, "one"), "hops_us": await _asked(roster, "first")}


async def _asked(roster: Roster, to: str) -> float:
    async def caller() -> None:
        for _ in range(ASKS):
            await roster.ask(to, Question(), DAEMON)

    found = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        async with anyio.create_task_group() as group:
            for _ in range(CALLERS):
                group.start_soon(caller)
        found.append((time.process_time_ns() - began) / 1e3 / CALLERS / ASKS)
    return median(found)


async def commits() -> dict[str, float]:
    """Appends a second through the group commit, over those of one transaction each."""
    pairs = [(await _commits_a_second(WRITERS), await _commits_a_second(1)) for _ in range(ROUNDS)]
    return {"group_commit": median(many / one for many, one in pairs)}


async def _commits_a_second(at_once: int) -> float:
    """`at_once` writers; a single one has every transaction to itself."""
    async with _journal() as roster:

        async def writer() -> None:
            for _ in range(WRITES):
                await roster.ask("journal", Append([_draft()]), DAEMON)  # type: ignore[arg-type]

        began = time.perf_counter()
        async with anyio.create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(writer)
        return at_once * WRITES / (time.perf_counter() - began)


@asynccontextmanager
async def _journal() -> AsyncIterator[Roster]:
    with TemporaryDirectory() as home:
        store = await SqliteStore.open(Path(home))
        roster, clock = Roster(), LedgerTime(SystemClock())
        try:
            async with roster, ActorLoop():
                journal = Journal.start(roster.tell, clock, store, Start())
                roster.register("journal", journal)
                yield roster
        finally:
            await store.close()


def _draft() -> Draft:
    now_ms = SystemClock().now_ms()
    body = {"provider": "openai", "model": "gpt-4o-mini", "tier": "remote_heavyweight",
            "task_type": "chat", "expires_ms": now_ms + HOUR_MS, "windows": [], "priority": 5,
            **amounts_body(Amounts(1, 1, 1))}  # fmt: skip
    return Draft("held", "writer", hold_id("rsv", now_ms, 1), body)


async def start(home: Path) -> float:
    """Seconds from opening the journal to actors that can decide, imports and prices aside."""
    book = load_book()
    found = []
    for _ in range(3):
        began = time.perf_counter()
        store = await SqliteStore.open(home)
        try:
            begin = await store.start()
            roster, clock = Roster(), LedgerTime(SystemClock(), begin.at_ms)
            builder = Builder(roster, store, clock, book, DEFAULT, 10_000, OPEN_MAX)
            async with roster, ActorLoop():
                roster.register("journal", Journal.start(roster.tell, clock, store, begin))
                builder.build(begin)
                found.append(time.perf_counter() - began)
        finally:
            await store.close()
    return median(found)
