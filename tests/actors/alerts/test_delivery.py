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
    loath: str | None = None
    """The subject of the one event that it does not take."""
    tries: int = 0
    taken: list[StoredEvent] = field(default_factory=list)
    tried: anyio.Event = field(default_factory=anyio.Event)

    async def deliver(self, events: list[StoredEvent]) -> None:
        self.tries += 1
        self.tried.set()
        self.tried = anyio.Event()
        if self.broken or any(event.subject == self.loath for event in events):
            raise NotDelivered("nobody answers")
        self.taken += events

    async def until(self, tries: int) -> None:
        while self.tries < tries:
            await self.tried.wait()

    async def until_taken(self, kind: str, subject: str | None = None) -> None:
        while not any(
            event.type == kind and subject in (None, event.subject) for event in self.taken
        ):
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


async def turn(alive: House, clock: FakeClock, pager: Pager, ms: int, tries: int) -> None:
    """Time passes, and so many more deliveries are tried."""
    before = pager.tries
    clock.pass_by(ms)
    alive.roster.tell("alerts", Turn())
    await pager.until(before + tries)


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


async def passed_by(alive: House, clock: FakeClock, pager: Pager) -> None:
    """The event of `first` fails three times, then that of `second` is tried and taken."""
    for name in ("first", "second"):
        await cross(alive, name)
    await pager.until(1)
    await turn(alive, clock, pager, 10_000, 1)
    assert pager.taken == []
    await turn(alive, clock, pager, 20_000, 1)
    await pager.until_taken("alert.resolved")


async def test_one_event_that_is_not_taken_holds_up_the_others_for_three_tries(
    tmp_path: Path,
) -> None:
    clock, pager = FakeClock(1_767_225_600_000), Pager(loath="first")
    async with house(tmp_path, clock, pager) as alive:
        await passed_by(alive, clock, pager)
        told = [(event.type, event.subject) for event in pager.taken]
        assert sorted(told[:2]) == [("channel.failing", "ops"), ("limit.reached", "second")]
        assert "delivers again, all but event" in pager.taken[-1].data
        (one,) = (await alive.ask("alerts", ListChannels(), CALLER)).items
        assert (one.state, one.aside) == ("ok", 1)

        await cross(alive, "third")
        await pager.until_taken("limit.reached", "third")
        pager.loath = None
        await turn(alive, clock, pager, HOUR_MS, 1)
        assert pager.taken[-1].subject == "first"
        (one,) = (await alive.ask("alerts", ListChannels(), CALLER)).items
        assert one.aside == 0
        numbers = [event.seq for event in pager.taken]
        assert len(numbers) == len(set(numbers))


async def test_what_was_set_aside_is_given_up_after_a_day_like_any_other(tmp_path: Path) -> None:
    clock, pager = FakeClock(1_767_225_600_000), Pager(loath="first")
    async with house(tmp_path, clock, pager) as alive:
        await passed_by(alive, clock, pager)
        await turn(alive, clock, pager, 24 * HOUR_MS, 1)
        await pager.until_taken("channel.gaveup")
        (one,) = (await alive.ask("alerts", ListChannels(), CALLER)).items
        assert (one.state, one.aside) == ("ok", 0)


async def test_where_nobody_is_there_all_wait_in_order(tmp_path: Path) -> None:
    clock, pager = FakeClock(1_767_225_600_000), Pager(broken=True)
    async with house(tmp_path, clock, pager) as alive:
        for name in ("first", "second", "third"):
            await cross(alive, name)
        await pager.until(1)
        await turn(alive, clock, pager, 10_000, 1)
        await turn(alive, clock, pager, 20_000, 2)
        for _ in range(3):
            await turn(alive, clock, pager, HOUR_MS, 2)
        pager.broken = False
        await turn(alive, clock, pager, HOUR_MS, 5)
        reached = [event.subject for event in pager.taken if event.type == "limit.reached"]
        assert reached == ["first", "second", "third"]


async def test_what_was_set_aside_outlives_the_daemon(tmp_path: Path) -> None:
    clock, pager = FakeClock(1_767_225_600_000), Pager(loath="first")
    async with house(tmp_path, clock, pager) as alive:
        await passed_by(alive, clock, pager)
        await alive.builder.flush()
    told = []
    for later in ("later", "latest"):
        clock.reboot()
        pager = Pager()
        async with house(tmp_path, clock, pager) as alive:
            await cross(alive, later)
            await pager.until_taken("limit.reached", later)
            await alive.builder.flush()
        told.append([event.subject for event in pager.taken])
    assert told == [["first", "later"], ["latest"]]


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
