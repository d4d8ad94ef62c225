"""pykka on the loop: what pykka promises still holds, and what would block says so at once."""

import queue
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pykka
import pytest

from actors.runtime import (
    NOBODY,
    ActorLoop,
    BlockingOnLoop,
    Envelope,
    LoopActor,
    LoopFuture,
    PendingCall,
    ServiceActor,
    kill,
)
from actors.runtime.future import running_loop
from protocols.debug import LogLevel, debug_log
from protocols.errors import Denied, Unavailable
from protocols.message import DAEMON, Call

pytestmark = pytest.mark.anyio


class Echo(LoopActor):
    """Answers what it hears, or does what it hears."""

    def __init__(self, diary: list[str] | None = None, name: str = "echo") -> None:
        super().__init__()
        self.diary = [] if diary is None else diary
        self.name = name

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message()
        self.diary.append(f"{self.name} hears {message}")
        return message

    def on_stop(self) -> None:
        self.diary.append(f"{self.name} stops")

    def on_failure(self, *_: object) -> None:
        self.diary.append(f"{self.name} fails")

    async def shout(self, word: str) -> str:
        await anyio.lowlevel.checkpoint()
        return word.upper()


class Clerk(ServiceActor):
    """Does with a call what the message says."""

    def __init__(self) -> None:
        super().__init__("clerk")
        self.kept: list[Call[Any]] = []
        self.failed = threading.Event()

    def receive(self, message: Any, call: Call[Any]) -> None:
        match message:
            case "keep":
                self.kept.append(call)
            case Exception():
                raise message
            case _:
                call.answer(message)

    def on_failure(self, *_: object) -> None:
        self.failed.set()


@pytest.fixture(autouse=True)
async def loop() -> AsyncIterator[ActorLoop]:
    with anyio.fail_after(5):
        async with ActorLoop() as loop:
            yield loop
    assert pykka.ActorRegistry.get_all() == []


def pending(to: str = "clerk") -> PendingCall:
    loop = running_loop()
    assert loop is not None
    return PendingCall(DAEMON, to, 0.0, loop.create_future())


def call(ref: pykka.ActorRef[Any], message: object) -> PendingCall:
    """Ask as the roster does: the call rides where pykka has its future."""
    asked = pending()
    ref.actor_inbox.put(Envelope(message, asked))  # type: ignore[arg-type]
    return asked


def boom() -> None:
    raise ZeroDivisionError


async def test_a_handler_may_be_sync_or_async() -> None:
    async def slowly() -> str:
        await anyio.lowlevel.checkpoint()
        return "late"

    ref = Echo.start()

    assert await ref.ask("now", block=False) == "now"
    assert await ref.ask(slowly, block=False) == "late"


async def test_a_proxy_works_and_its_methods_may_be_async() -> None:
    proxy = Echo.start().proxy()

    assert await proxy.shout("hello") == "HELLO"
    assert await proxy.name == "echo"


async def test_blocking_on_the_loop_raises_at_once_and_says_what_to_do() -> None:
    ref = Echo.start()

    for block in (ref.stop, lambda: ref.ask("hello"), lambda: LoopFuture[None]().get()):
        with pytest.raises(BlockingOnLoop, match="use await"):
            block()


async def test_what_blocks_on_the_loop_works_in_another_thread() -> None:
    def elsewhere() -> list[object]:
        ref = Echo.start()
        return [ref.ask("hello"), ref.stop()]

    assert await anyio.to_thread.run_sync(elsewhere) == ["hello", True]


async def test_stop_answers_after_all_that_was_sent_before_it_and_nothing_after_it() -> None:
    diary: list[str] = []
    ref = Echo.start(diary)

    ref.tell("first")
    stopped = ref.stop(block=False)
    late = ref.ask("late", block=False)

    assert await stopped
    assert diary == ["echo hears first", "echo stops"]
    with pytest.raises(pykka.ActorDeadError):
        await late
    with pytest.raises(pykka.ActorDeadError):
        ref.tell("too late")
    assert not await ref.stop(block=False)


async def test_hooks_may_be_async_and_run_before_anybody_hears_of_it() -> None:
    diary: list[str] = []

    class Careful(Echo):
        async def on_start(self) -> None:  # type: ignore[override]
            await anyio.lowlevel.checkpoint()
            self.diary.append("started")

        async def on_stop(self) -> None:  # type: ignore[override]
            await anyio.lowlevel.checkpoint()
            self.diary.append("stopped")

    ref = Careful.start(diary)
    ref.tell("message")
    await ref.stop(block=False)

    assert diary == ["started", "echo hears message", "stopped"]


async def test_a_failing_async_hook_ends_the_actor(loop: ActorLoop) -> None:
    class Stillborn(Echo):
        async def on_start(self) -> None:  # type: ignore[override]
            boom()

    died = anyio.Event()
    loop.on_death = lambda *_: died.set()

    ref = Stillborn.start()
    await died.wait()

    assert not ref.is_alive()


async def test_an_exception_nobody_asked_for_ends_the_actor_and_is_reported(
    loop: ActorLoop,
) -> None:
    diary: list[str] = []
    deaths: list[tuple[object, BaseException]] = []
    ref = Echo.start(diary)
    loop.on_death = lambda ref, error: deaths.append((ref, error))

    ref.tell(boom)
    unheard = ref.ask("hello", block=False)

    with pytest.raises(pykka.ActorDeadError):
        await unheard
    assert diary == ["echo fails"]
    [(who, why)] = deaths
    assert who is ref
    assert isinstance(why, ZeroDivisionError)


async def test_an_async_failure_hook_is_awaited_and_may_fail_itself() -> None:
    reached = anyio.Event()

    class Unlucky(Echo):
        async def on_failure(self, *_: object) -> None:  # type: ignore[override]
            await anyio.lowlevel.checkpoint()
            reached.set()
            boom()

    ref = Unlucky.start()
    ref.tell(boom)
    await reached.wait()

    assert not ref.is_alive()


async def test_an_exception_somebody_asked_for_is_theirs_and_the_actor_lives() -> None:
    ref = Echo.start()

    with pytest.raises(ZeroDivisionError):
        await ref.ask(boom, block=False)

    assert await ref.ask("still here", block=False) == "still here"


async def test_a_base_exception_stops_every_actor(loop: ActorLoop) -> None:
    class Enough(BaseException):
        pass

    def leave() -> None:
        raise Enough

    reported: list[BaseException] = []
    loop.on_death = lambda _, error: reported.append(error)
    ref, other = Echo.start(), Echo.start()

    with pytest.raises(pykka.ActorDeadError):
        await ref.ask(leave, block=False)
    await other.stop(block=False)

    assert not ref.is_alive()
    assert not other.is_alive()
    assert [Enough] == [type(error) for error in reported]


async def test_a_long_inbox_leaves_the_loop_to_others_now_and_then() -> None:
    diary: list[str] = []
    ref = Echo.start(diary)
    await ref.ask("ready", block=False)
    for _ in range(1000):
        ref.tell("more")

    for _ in range(3):
        await anyio.lowlevel.checkpoint()

    assert 0 < len(diary) < 900
    assert await ref.stop(block=False)
    assert len(diary) == 1002


async def test_a_killed_actor_hears_nothing_more_and_runs_no_hook() -> None:
    diary: list[str] = []
    ref = Echo.start(diary)
    await ref.ask("first", block=False)

    ref.tell("second")
    asked = ref.ask("third", block=False)
    kill(ref)

    with pytest.raises(pykka.ActorDeadError):
        await asked
    assert diary == ["echo hears first"]


async def test_a_cancelled_waiter_leaves_the_message_alone() -> None:
    diary: list[str] = []
    ref = Echo.start(diary)
    future = ref.ask("hello", block=False)

    with anyio.CancelScope() as scope:
        scope.cancel()
        await future

    assert await future == "hello"
    assert diary == ["echo hears hello"]


async def test_derived_futures_can_be_awaited_before_their_sources_are_set() -> None:
    ref = Echo.start()
    one, two = ref.ask(1, block=False), ref.ask(2, block=False)

    assert await one.join(two).map(sum) == 3
    assert await ref.ask([1, 2, 3], block=False).filter(lambda n: n > 1).reduce(max) == 3


async def test_a_future_with_a_hook_set_late_wakes_who_waits_for_it() -> None:
    future: LoopFuture[str] = LoopFuture()
    waiting = anyio.Event()

    async def wait() -> None:
        waiting.set()
        assert await future == "hooked"

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await waiting.wait()
        future.set_get_hook(lambda _: "hooked")


async def test_an_actor_that_blocks_on_the_loop_is_told_so_and_so_is_who_maps_its_answer() -> None:
    other = Echo.start()
    ref = Echo.start()

    with pytest.raises(BlockingOnLoop):
        await ref.ask(lambda: other.ask("hello"), block=False).map(str)


@pytest.mark.parametrize(
    "again",
    [
        lambda future: future.set(2),
        lambda future: future.set_exception((ValueError, None, None)),
        lambda future: future.set_get_hook(lambda _: 2),
    ],
    ids=["set", "set_exception", "set_get_hook"],
)
async def test_a_future_is_set_once(again: Callable[[LoopFuture[int]], None]) -> None:
    future: LoopFuture[int] = LoopFuture()
    future.set(1)

    with pytest.raises(queue.Full):
        again(future)

    assert await future == 1


async def test_a_thread_may_wait_for_a_future_with_a_timeout() -> None:
    with pytest.raises(pykka.Timeout):
        await anyio.to_thread.run_sync(lambda: LoopFuture[None]().get(timeout=0))


async def test_an_exception_class_set_on_a_future_is_raised() -> None:
    future: LoopFuture[int] = LoopFuture()
    future.set_exception((KeyError, None, None))

    with pytest.raises(KeyError):
        await future


async def test_nothing_starts_without_a_loop_and_there_is_one_loop() -> None:
    with pytest.raises(RuntimeError, match="already"):
        await ActorLoop().__aenter__()

    def elsewhere() -> None:
        current, ActorLoop._current = ActorLoop._current, None
        try:
            Echo.start()
        finally:
            ActorLoop._current = current

    with pytest.raises(RuntimeError, match="async with ActorLoop"):
        elsewhere()


async def test_leaving_the_loop_handles_what_was_sent_and_stops_the_youngest_first() -> None:
    diary: list[str] = []
    current, ActorLoop._current = ActorLoop._current, None
    try:
        async with ActorLoop():
            for name in ("old", "young"):
                Echo.start(diary, name).tell("goodbye")
    finally:
        ActorLoop._current = current

    hears = ["old hears goodbye", "young hears goodbye"]
    assert [*hears, "young stops", "old stops"] == diary


async def test_what_an_actor_does_beside_its_inbox_is_finished_before_the_loop_ends() -> None:
    diary: list[str] = []

    async def write(word: str) -> None:
        await anyio.wait_all_tasks_blocked()
        diary.append(word)

    class Writer(Echo):
        def on_start(self) -> None:
            self.spawn(write, "by the actor")
            ActorLoop.current().spawn(write, "by the loop")

    current, ActorLoop._current = ActorLoop._current, None
    try:
        async with ActorLoop():
            Writer.start()
    finally:
        ActorLoop._current = current

    assert sorted(diary) == ["by the actor", "by the loop"]


async def test_what_fails_beside_the_inbox_takes_its_actor_along(loop: ActorLoop) -> None:
    deaths: list[str] = []
    loop.on_death = lambda _, error: deaths.append(type(error).__name__)

    async def fail() -> None:
        boom()

    ref = Echo.start()
    ref.proxy().spawn.defer(fail)
    await anyio.wait_all_tasks_blocked()

    assert deaths == ["ZeroDivisionError"]
    assert not ref.is_alive()
    assert not loop._actors


async def test_what_does_not_stop_in_time_is_cancelled_and_its_asker_hears_of_it() -> None:
    current, ActorLoop._current = ActorLoop._current, None
    try:
        async with ActorLoop(grace_s=0):
            ref = Echo.start()
            asked = ref.ask(anyio.sleep_forever, block=False)
    finally:
        ActorLoop._current = current

    with pytest.raises(pykka.ActorDeadError):
        await asked
    assert not ref.is_alive()


async def test_an_answer_is_given_not_returned() -> None:
    ref = Clerk.start()
    kept = call(ref, "keep")

    assert await call(ref, "reply").reply == "reply"
    assert not kept.reply.done()

    for later in await ref.proxy().kept:
        later.answer("done")
    assert await kept.reply == "done"


async def test_a_second_answer_and_one_nobody_waits_for_are_harmless() -> None:
    first, gone = pending(), pending()
    gone.reply.cancel()

    for asked in (first, gone):
        asked.answer("first")
        asked.answer("second")
        asked.refuse(Denied("no"))

    assert await first.reply == "first"
    NOBODY.answer("nothing")
    NOBODY.refuse(Denied("no"))


async def test_a_refusal_is_a_reply_and_the_actor_lives() -> None:
    ref = Clerk.start()

    with pytest.raises(Denied):
        await call(ref, Denied("no")).reply

    assert await call(ref, "alive").reply == "alive"


@pytest.mark.parametrize(
    "asks", [call, lambda ref, message: ref.ask(message, block=False)], ids=["ours", "pykka"]
)
async def test_anything_else_is_a_crash_with_an_unknown_outcome(
    asks: Callable[[pykka.ActorRef[Any], object], Any],
) -> None:
    ref = Clerk.start()
    failed = await ref.proxy().failed
    asked, unheard = asks(ref, ZeroDivisionError()), call(ref, "keep")

    with pytest.raises(Unavailable) as unknown:
        await getattr(asked, "reply", asked)
    with pytest.raises(Unavailable) as untouched:
        await unheard.reply

    assert unknown.value.facts["outcome"] == "unknown"
    assert untouched.value.facts["outcome"] == "not-applied"
    assert failed.is_set()
    assert not ref.is_alive()


async def test_a_service_can_be_spoken_to_in_pykkas_own_words() -> None:
    ref = Clerk.start()

    assert await ref.ask("hello", block=False) == "hello"
    ref.tell("nobody hears the answer")
    with pytest.raises(Denied):
        await ref.ask(Denied("no"), block=False)
    kept = ref.ask("keep", block=False)
    with pytest.raises(IndexError):
        await ref.ask(pykka.messages.ProxyCall(("kept", "pop"), (7,), {}), block=False)
    [later] = await ref.proxy().kept
    later.answer("late")
    later.answer("twice")
    later.refuse(Denied("no"))
    assert await kept == "late"


async def test_each_message_and_its_answer_can_be_overheard(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debug_log, "default_level", LogLevel.DEBUG)
    ref = Clerk.start()

    debug_log.set_enabled(True)
    try:
        await call(ref, "hello").reply
        with pytest.raises(Denied):
            await call(ref, Denied("no")).reply
    finally:
        debug_log.set_enabled(False)

    said = capfd.readouterr().err
    assert '[budget_clerk] hears str {"actor": "clerk", "caller": "daemon", "message": "he' in said
    assert "[budget_clerk] str is answered" in said
    assert "[budget_clerk] Denied is refused" in said
