"""Deliveries that fail and the dispatcher that falls: nothing is skipped, nothing is told twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from actors.alerts.channel import Channel
from actors.alerts.dispatcher import Turn
from actors.ports import NotDelivered
from protocols.channels import Channels, ListChannels
from protocols.events import StoredEvent
from protocols.ledger import Reserve
from protocols.policy.messages import SetPolicy
from tests.harness.clock import FakeClock
from tests.harness.house import CALLER, House, living
from tests.properties.book import book

pytestmark = pytest.mark.anyio

OPS = Channel("ops", "webhook")
HOUR_MS = 3_600_000
WITHIN_S = 30


@dataclass
class Pager:
    """A `Notifier` that keeps what it takes, and takes nothing while it is `broken`."""

    broken: bool = False
    tries: int = 0
    taken: list[StoredEvent] = field(default_factory=list)
    tried: anyio.Event = field(default_factory=anyio.Event)

    async def deliver(self, events: list[StoredEvent]) -> None:
        self.tries += 1
        self.tried.set()
        self.tried = anyio.Event()
        if self.broken:
            raise NotDelivered("nobody answers")
        self.taken += events

    async def until(self, tries: int) -> None:
        while self.tries < tries:
            await self.tried.wait()


@asynccontextmanager
async def house(place: Path, clock: FakeClock, pager: Pager) -> AsyncIterator[House]:
    with anyio.fail_after(WITHIN_S):
        async with living(place, clock, book(), ways={OPS: pager}) as alive:
            yield alive


async def cross(alive: House, name: str) -> None:
    """Raise one alert: a policy of one call, and that call."""
    policy = {"name": name, "match": {"component": name}, "limit": {"calls": 1}, "warn_at": []}
    await alive.ask("policy", SetPolicy.model_validate(policy | {"period": "total"}), CALLER)
    call = Reserve(component=name, provider="openai", model="small", usd="0.01")
    await alive.ask(f"ledger:{name}", call, CALLER)


async def channel(alive: House) -> tuple[str, int, str | None]:
    found: Channels = await alive.ask("alerts", ListChannels(), CALLER)
    (one,) = found.items
    return one.state, one.attempts, one.failure


async def test_what_fails_is_tried_again_and_what_came_after_it_waits(tmp_path: Path) -> None:
    clock, pager = FakeClock(1_767_225_600_000), Pager(broken=True)
    async with house(tmp_path, clock, pager) as alive:
        for name in ("first", "second"):
            await cross(alive, name)
        await pager.until(1)
        alive.roster.tell("alerts", Turn())
        assert await channel(alive) == ("failing", 1, "nobody answers")
        clock.pass_by(10_000)
        alive.roster.tell("alerts", Turn())
        await pager.until(2)
        pager.broken = False
        clock.pass_by(20_000)
        alive.roster.tell("alerts", Turn())
        await pager.until(6)
        numbers = [event.seq for event in pager.taken]
        assert numbers == sorted(set(numbers))
        reached = [event.subject for event in pager.taken if event.type == "limit.reached"]
        assert reached == ["first", "second"]
        others = {event.type for event in pager.taken} - {"limit.reached"}
        assert others == {"channel.failing", "alert.resolved"}


async def test_after_a_day_one_event_is_given_up_and_the_next_is_tried(tmp_path: Path) -> None:
    clock, pager = FakeClock(1_767_225_600_000), Pager(broken=True)
    async with house(tmp_path, clock, pager) as alive:
        await cross(alive, "first")
        await pager.until(1)
        await channel(alive)
        clock.pass_by(24 * HOUR_MS)
        alive.roster.tell("alerts", Turn())
        await pager.until(3)
        pager.broken = False
        clock.pass_by(HOUR_MS)
        alive.roster.tell("alerts", Turn())
        await pager.until(5)
        told = [event.type for event in pager.taken]
        assert told[:2] == ["channel.failing", "channel.gaveup"]
        assert "limit.reached" not in told


async def test_a_restart_goes_on_where_the_channel_was(tmp_path: Path) -> None:
    clock, pager = FakeClock(1_767_225_600_000), Pager(broken=True)
    async with house(tmp_path, clock, pager) as alive:
        await cross(alive, "first")
        await pager.until(1)
        await alive.builder.flush()
    clock.reboot()
    pager = Pager()
    async with house(tmp_path, clock, pager):
        await pager.until(2)
        assert pager.taken[0].subject == "first"


async def test_the_dispatcher_falls_and_the_feed_is_whole_again(tmp_path: Path) -> None:
    clock, pager = FakeClock(1_767_225_600_000), Pager()
    async with house(tmp_path, clock, pager) as alive:
        await cross(alive, "first")
        await pager.until(1)
        head = alive.feed.head
        alive.roster.tell("alerts", "what is this?")
        await cross(alive, "second")
        await pager.until(2)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(alive.feed.run)
            while alive.feed.head < head + 2:
                await alive.feed.turn(alive.feed.head)
            tasks.cancel_scope.cancel()
        frames = alive.feed.since(0) or []
        assert [frame.seq for frame in frames] == list(range(1, alive.feed.head + 1))
        assert [event.subject for event in pager.taken][:2] == ["first", "second"]
