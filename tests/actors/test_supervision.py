"""Who is let in, who answers to a name, and what happens when one of them dies."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pykka
import pytest

from actors.runtime import ActorLoop, PendingCall, ServiceActor
from actors.supervision import (
    Child,
    Fate,
    Roster,
    Row,
    Spine,
    SpineBroken,
    State,
    StorageBroken,
    Supervisor,
    doubling,
)
from protocols.errors import BudgetError, Busy, Denied, Unavailable
from protocols.message import DAEMON, Call, Request

pytestmark = pytest.mark.anyio


class Say(Request[str]):
    """Asks for its own words."""

    words: str = "hello"


class Keep(Request[str]):
    """Is answered when somebody feels like it."""


class Fall(Request[str]):
    """Is too much for whoever hears it."""


class Quit(Request[str]):
    """Is too much for everybody."""


class Clerk(ServiceActor):
    def __init__(self, name: str, kept: list[Call[str]] | None = None) -> None:
        super().__init__(name)
        self.kept = [] if kept is None else kept

    def receive(self, message: Say | Keep | Fall | Quit, call: Call[str]) -> None:
        match message:
            case Say():
                call.answer(f"{self.name} says {message.words}")
            case Keep():
                self.kept.append(call)
            case Fall():
                raise ZeroDivisionError
            case Quit():
                raise GeneratorExit


class FakeTime:
    """Sleeps until told that the time has passed."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []
        self._sleepers: list[tuple[float, anyio.Event]] = []

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        woken = anyio.Event()
        self.slept.append(seconds)
        self._sleepers.append((self.at + seconds, woken))
        await woken.wait()

    async def pass_by(self, seconds: float) -> None:
        self.at += seconds
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self.at]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self.at]
        for _, woken in due:
            woken.set()
        await anyio.wait_all_tasks_blocked()


class House:
    """A roster and its supervisor, with a spine of two and the calls they keep."""

    def __init__(self) -> None:
        self.time = FakeTime()
        self.ticks = FakeTime()
        self.changes: list[tuple[str, State]] = []
        self.kept: list[Call[str]] = []
        self.roster = Roster(sleep=self.ticks.sleep, now=self.ticks.now)
        self.supervisor = Supervisor(
            self.roster, on_change=self.note, sleep=self.time.sleep, now=self.time.now
        )
        self.before_flushed: Callable[[], None] = lambda: None
        self.before_started: Callable[[], None] = lambda: None
        self.starts = 0

    def note(self, fate: Fate) -> None:
        self.changes.append((fate.name, fate.state))

    async def flush(self) -> None:
        await anyio.lowlevel.checkpoint()
        self.before_flushed()

    async def start(self) -> None:
        await anyio.lowlevel.checkpoint()
        self.starts += 1
        self.roster.register("policy", Clerk.start("policy", self.kept))
        self.before_started()
        self.roster.factory("ledger:", lambda name: Clerk.start(name, self.kept))

    async def start_spine(self) -> None:
        await self.supervisor.start_spine(Spine(start=self.start, flush=self.flush))

    async def ask(self, to: str, request: Request[str]) -> str | BudgetError:
        try:
            return await self.roster.ask(to, request, DAEMON)
        except BudgetError as error:
            return error

    def states(self) -> dict[str, tuple[str, int]]:
        return {row.name: (row.state.value, row.restarts) for row in self.roster.table()}


class Asked:
    """A question put in the background."""

    def __init__(self) -> None:
        self.answer: str | BudgetError | None = None

    async def put(self, house: House, to: str, request: Request[str]) -> None:
        self.answer = await house.ask(to, request)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    with anyio.fail_after(5):
        async with house.roster, ActorLoop(), house.supervisor:
            yield house
    assert pykka.ActorRegistry.get_all() == []


@pytest.fixture
async def tasks() -> AsyncIterator[anyio.abc.TaskGroup]:
    async with anyio.create_task_group() as tasks:
        yield tasks
        tasks.cancel_scope.cancel()


async def in_background(
    tasks: anyio.abc.TaskGroup, house: House, to: str, request: Request[str]
) -> Asked:
    asked = Asked()
    tasks.start_soon(asked.put, house, to, request)
    await anyio.wait_all_tasks_blocked()
    return asked


def outcome(answer: object) -> object:
    assert isinstance(answer, Unavailable), answer
    return answer.facts["outcome"]


async def test_whoever_has_the_name_answers(house: House) -> None:
    house.roster.register("policy", Clerk.start("policy"))

    assert await house.roster.ask("policy", Say(), DAEMON) == "policy says hello"


async def test_nobody_there_is_unavailable_and_nothing_was_applied(house: House) -> None:
    heard: list[BudgetError] = []

    class Listener(PendingCall):
        def refuse(self, error: BudgetError) -> None:
            heard.append(error)

    house.roster.tell("nobody", Say())
    house.roster.tell("nobody", Say(), Listener(DAEMON, "nobody", 0.0, None))  # type: ignore[arg-type]

    assert outcome(await house.ask("nobody", Say())) == "not-applied"
    assert [outcome(error) for error in heard] == ["not-applied"]


async def test_a_child_is_made_at_the_first_word_to_it(house: House) -> None:
    await house.start_spine()

    house.roster.tell("ledger:rhetor", Keep())
    assert await house.ask("ledger:rhetor", Say()) == "ledger:rhetor says hello"
    assert await house.ask("ledger:apollo", Say()) == "ledger:apollo says hello"

    assert [
        Row("policy", State.RUNNING, 0, 0, 0),
        Row("ledger:rhetor", State.RUNNING, 0, 0, 2),
        Row("ledger:apollo", State.RUNNING, 0, 0, 1),
    ] == house.roster.table()


async def test_a_factory_may_refuse_to_make_a_child(house: House) -> None:
    def refuse(name: str) -> pykka.ActorRef[Any]:
        raise Denied(name)

    house.roster.factory("ledger:", refuse)
    house.roster.tell("ledger:x", Say())

    assert isinstance(await house.ask("ledger:x", Say()), Denied)


async def test_who_was_stopped_on_purpose_is_not_restarted(house: House) -> None:
    await house.start_spine()
    house.roster.unregister("policy")
    ref = Clerk.start("policy")
    house.roster.register("policy", ref)
    await ref.stop(block=False)

    assert outcome(await house.ask("policy", Say())) == "not-applied"
    assert house.changes == []
    with pytest.raises(pykka.ActorDeadError):
        house.roster.register("policy", ref)


async def test_too_much_in_flight_is_busy(house: House, tasks: anyio.abc.TaskGroup) -> None:
    await house.start_spine()
    house.roster.in_flight_max = 1
    first = await in_background(tasks, house, "policy", Keep())

    refused = await house.ask("policy", Say())
    house.kept[0].answer("done")
    await anyio.wait_all_tasks_blocked()

    assert isinstance(refused, Busy)
    assert refused.facts["retry_after_s"] == 1
    assert first.answer == "done"
    assert await house.ask("policy", Say()) == "policy says hello"


async def test_a_full_inbox_refuses_who_asks_and_never_who_tells(house: House) -> None:
    house.roster.inbox_max = 2
    await house.start_spine()
    for _ in range(5):
        house.roster.tell("policy", Keep())

    refused = await house.ask("policy", Say())
    await anyio.wait_all_tasks_blocked()

    assert isinstance(refused, Busy)
    assert len(house.kept) == 5


async def test_every_ask_has_a_deadline(house: House, tasks: anyio.abc.TaskGroup) -> None:
    await house.start_spine()
    early = await in_background(tasks, house, "policy", Keep())
    await house.ticks.pass_by(20)
    late = await in_background(tasks, house, "policy", Keep())
    await house.ticks.pass_by(10)

    assert outcome(early.answer) == "unknown"
    assert late.answer is None
    house.kept[0].answer("too late")
    house.kept[1].answer("in time")
    await anyio.wait_all_tasks_blocked()
    assert late.answer == "in time"


async def test_a_caller_who_leaves_does_not_take_the_message_along(house: House) -> None:
    await house.start_spine()

    with anyio.CancelScope() as scope:
        scope.cancel()
        await house.roster.ask("policy", Keep(), DAEMON)
    await anyio.wait_all_tasks_blocked()

    [kept] = house.kept
    kept.answer("to nobody")


async def test_draining_lets_nobody_in_and_waits_for_the_unanswered(
    house: House, tasks: anyio.abc.TaskGroup
) -> None:
    await house.start_spine()
    first = await in_background(tasks, house, "policy", Keep())

    assert not await house.roster.drain(timeout_s=0)
    assert outcome(await house.ask("policy", Say())) == "not-applied"
    house.kept[0].answer("done")
    assert await house.roster.drain(timeout_s=5)
    assert first.answer == "done"


async def test_leaving_the_roster_refuses_what_is_still_unanswered() -> None:
    house, asked = House(), Asked()
    with anyio.fail_after(5):
        async with (
            anyio.create_task_group() as tasks,
            house.roster,
            ActorLoop(),
            house.supervisor,
        ):
            await house.start_spine()
            tasks.start_soon(asked.put, house, "policy", Keep())
            await anyio.wait_all_tasks_blocked()

    assert outcome(asked.answer) == "unknown"


async def test_the_spine_falls_as_one_and_its_calls_were_not_applied(
    house: House, tasks: anyio.abc.TaskGroup
) -> None:
    await house.start_spine()
    durable = await in_background(tasks, house, "ledger:a", Keep())
    lost = await in_background(tasks, house, "ledger:b", Keep())
    while_down: list[object] = []

    def written() -> None:
        assert lost.answer is None, "refused before the journal had spoken"
        tasks.start_soon(ask_while_down)
        house.kept[0].answer("durable")

    async def ask_while_down() -> None:
        while_down.append(await house.ask("ledger:a", Say()))

    house.before_flushed = written
    house.roster.tell("ledger:c", Fall())
    house.roster.tell("policy", Keep())
    crashed = await house.ask("policy", Fall())
    await anyio.wait_all_tasks_blocked()

    assert isinstance(crashed, Unavailable)
    assert durable.answer == "durable"
    assert outcome(lost.answer) == "not-applied"
    assert [outcome(answer) for answer in while_down] == ["not-applied"]
    assert house.changes == [("spine", State.RESTARTING), ("spine", State.RUNNING)]
    assert await house.ask("ledger:a", Say()) == "ledger:a says hello"
    assert house.states() == {"policy": ("running", 1), "ledger:a": ("running", 1)}
    assert house.starts == 2


async def test_while_the_spine_is_down_nobody_rebuilds_a_part_of_it(house: House) -> None:
    await house.start_spine()
    seen: list[object] = []

    def look() -> None:
        house.roster.tell("ledger:a", Say())
        seen.append(house.states())

    house.before_flushed = look
    await house.ask("policy", Fall())
    refused = await house.ask("policy", Say())
    await anyio.wait_all_tasks_blocked()

    assert isinstance(refused, Unavailable)
    assert refused.facts == {"outcome": "not-applied", "retry_after_s": 1}
    assert seen == [{"spine": ("restarting", 0)}]


async def test_who_falls_while_the_spine_rises_fells_it_again(house: House) -> None:
    await house.start_spine()

    def fall_once() -> None:
        house.before_started = lambda: None
        house.roster.tell("policy", Fall())
        house.roster.register("other", Clerk.start("other"))

    house.before_started = fall_once
    await house.ask("policy", Fall())
    await anyio.wait_all_tasks_blocked()

    assert await house.ask("policy", Say()) == "policy says hello"
    assert house.starts == 3
    assert outcome(await house.ask("other", Say())) == "not-applied"


async def test_a_spine_that_falls_too_often_ends_the_daemon(house: House) -> None:
    await house.start_spine()
    for _ in range(5):
        await house.ask("policy", Fall())
        await anyio.wait_all_tasks_blocked()
    assert house.states() == {"policy": ("running", 5)}

    await house.ask("policy", Fall())

    with pytest.raises(SpineBroken, match="6 times") as broken:
        await house.supervisor.broken()
    assert broken.value.exit_code == 70
    assert outcome(await house.ask("policy", Say())) == "not-applied"
    assert house.states() == {"spine": ("down", 5)}


async def test_falls_long_ago_are_forgiven(house: House) -> None:
    await house.start_spine()
    for _ in range(10):
        await house.ask("policy", Fall())
        await anyio.wait_all_tasks_blocked()
        await house.time.pass_by(15)

    assert await house.ask("policy", Say()) == "policy says hello"


async def test_a_spine_that_does_not_rise_ends_the_daemon(house: House) -> None:
    await house.start_spine()

    def fail() -> None:
        raise OSError

    house.before_started = fail
    await house.ask("policy", Fall())

    with pytest.raises(SpineBroken):
        await house.supervisor.broken()
    assert house.starts == 6


async def test_a_journal_that_cannot_be_flushed_leaves_the_outcome_unknown(
    house: House, tasks: anyio.abc.TaskGroup
) -> None:
    await house.start_spine()
    asked = await in_background(tasks, house, "policy", Keep())

    def fail() -> None:
        raise OSError

    house.before_flushed = fail
    await house.ask("policy", Fall())

    with pytest.raises(SpineBroken):
        await house.supervisor.broken()
    assert outcome(asked.answer) == "unknown"


async def test_a_base_exception_ends_the_daemon(house: House) -> None:
    await house.start_spine()
    house.roster.tell("policy", Quit())

    with pytest.raises(SpineBroken, match="GeneratorExit"):
        await house.supervisor.broken()


async def test_the_death_of_the_journal_ends_the_daemon_at_once(house: House) -> None:
    house.supervisor.watch_journal("journal", Clerk.start("journal"))
    house.roster.tell("journal", Fall())

    with pytest.raises(StorageBroken) as broken:
        await house.supervisor.broken()
    assert broken.value.exit_code == 74
    assert [Row("journal", State.DOWN, 0, 0, 1)] == house.roster.table()
    assert outcome(await house.ask("policy", Say())) == "not-applied"


async def test_an_organ_is_restarted_alone_and_ever_more_slowly(house: House) -> None:
    async def start() -> pykka.ActorRef[Any]:
        return Clerk.start("prices")

    await house.start_spine()
    await house.supervisor.start_organ(Child("prices", start, restart_max=3))

    for pause in (1, 2, 4):
        await house.ask("prices", Fall())
        assert outcome(await house.ask("prices", Say())) == "not-applied"
        await anyio.wait_all_tasks_blocked()
        await house.time.pass_by(pause)
        assert await house.ask("prices", Say()) == "prices says hello"
    await house.ask("prices", Fall())
    await anyio.wait_all_tasks_blocked()

    assert house.time.slept == [1, 2, 4]
    assert house.states() == {"policy": ("running", 0), "prices": ("down", 3)}
    assert outcome(await house.ask("prices", Say())) == "not-applied"
    assert await house.ask("policy", Say()) == "policy says hello"
    assert house.starts == 1


async def test_an_organ_that_does_not_start_is_tried_again(house: House) -> None:
    tries: list[str] = []

    async def start() -> pykka.ActorRef[Any]:
        await anyio.lowlevel.checkpoint()
        tries.append("again")
        if len(tries) < 3:
            raise OSError
        return Clerk.start("alerts")

    await house.supervisor.start_organ(Child("alerts", start))
    assert house.states() == {"alerts": ("restarting", 0)}
    await anyio.wait_all_tasks_blocked()
    await house.time.pass_by(1)
    await house.time.pass_by(2)

    assert await house.ask("alerts", Say()) == "alerts says hello"
    assert len(tries) == 3


def test_a_backoff_doubles_up_to_its_limit() -> None:
    backoff = doubling(1.0, 60.0)

    assert [backoff(falls) for falls in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
