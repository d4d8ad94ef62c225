"""The group commit: who is on the way comes along, and who is alone does not wait."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint

from actors.journal import journal
from actors.journal.journal import Journal
from actors.ports import Batch, Start
from actors.runtime import ActorLoop
from actors.supervision import Roster
from actors.time import LedgerTime
from daemon.clock import SystemClock
from daemon.journal.store import SqliteStore
from protocols.journal import Append, Draft
from protocols.message import DAEMON

pytestmark = pytest.mark.anyio
CALLERS, CALLS = 20, 6
NUMBERS = count(1)


class CountingStore(SqliteStore):
    """The real one; remembers how many entries each commit had."""

    sizes: list[int]

    async def append(self, batch: Batch) -> None:
        self.sizes.append(len(batch.entries))
        await super().append(batch)


@asynccontextmanager
async def opened(home: Path) -> AsyncIterator[tuple[Roster, list[int]]]:
    store = await CountingStore.open(home)
    assert isinstance(store, CountingStore)
    store.sizes = []
    roster = Roster()
    try:
        async with roster, ActorLoop():
            told = Journal.start(roster.tell, LedgerTime(SystemClock()), store, Start())
            roster.register("journal", told)
            yield roster, store.sizes
    finally:
        await store.close()


async def call(roster: Roster, turns: int) -> None:
    """As long on its way as one that goes through ledgers and policy engine."""
    for _ in range(turns):
        await checkpoint()
    number = next(NUMBERS)
    draft = Draft("ledger_opened", f"caller-{number}", "a caller", {"number": number})
    await roster.ask("journal", Append([draft], answer=True), DAEMON)  # type: ignore[arg-type]


async def test_those_who_come_back_together_share_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "GATHER_S", 60.0)

    async def caller(turns: int) -> None:
        for _ in range(CALLS):
            await call(roster, turns)

    async with opened(tmp_path) as (roster, sizes), anyio.create_task_group() as group:
        for number in range(CALLERS):
            group.start_soon(caller, number % 4)

    assert sum(sizes) == CALLERS * CALLS
    assert len(sizes) <= CALLS + 3
    assert sizes.count(CALLERS) >= CALLS - 2


async def test_who_is_alone_has_every_commit_to_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: Journal) -> None:
        raise AssertionError("nobody else is there to wait for")

    monkeypatch.setattr(Journal, "gather", never)
    async with opened(tmp_path) as (roster, sizes):
        for _ in range(CALLS):
            await call(roster, 2)

    assert sizes == [1] * CALLS
