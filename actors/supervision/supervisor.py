"""What happens when an actor dies: the spine together, organs alone, the journal once."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import ClassVar, NoReturn, Self

import anyio

from actors.runtime import ActorLoop, Ref
from actors.supervision.fate import Fate, State
from actors.supervision.roster import Roster, Unanswered, refuse

log = logging.getLogger("budget.supervision")


class Broken(Exception):
    """The daemon cannot go on."""

    exit_code: ClassVar[int]


class SpineBroken(Broken):
    """Policies and ledgers fell too often; whoever started the daemon may start it anew."""

    exit_code = 70


class StorageBroken(Broken):
    """The journal died. A budget without memory must not say yes."""

    exit_code = 74


def doubling(first_s: float = 1.0, max_s: float = 60.0) -> Callable[[int], float]:
    """Wait `first_s` after the first fall and twice as long after each further one."""
    return lambda falls: float(min(first_s * 2 ** (falls - 1), max_s))


@dataclass(frozen=True, slots=True)
class Child:
    """An organ: budgets go on without it."""

    name: str
    start: Callable[[], Awaitable[Ref]]
    restart_max: int = 10
    within_s: float = 600.0
    backoff: Callable[[int], float] = field(default_factory=doubling)


@dataclass(frozen=True, slots=True)
class Spine:
    """What the daemon cannot be without: `start` builds it from the journal and registers it.

    `flush` returns when the journal has written, and answered, all it was handed. Either may take
    `patience_s`.
    """

    start: Callable[[], Awaitable[None]]
    flush: Callable[[], Awaitable[None]]
    restart_max: int = 5
    within_s: float = 30.0
    patience_s: float = 60.0


class Supervisor:
    """Hears of every actor of the loop that dies of an exception."""

    def __init__(
        self,
        roster: Roster,
        *,
        on_change: Callable[[Fate], None] = lambda _: None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roster = roster
        self._on_change = on_change
        self._sleep = sleep
        self._now = now
        self._spine: Spine | None = None
        self._organs: dict[Fate, Child] = {}
        self._journal: Fate | None = None
        self._left: list[Unanswered] = []
        self._fallen = False
        self._fault: Broken | None = None
        self._broken = anyio.Event()
        self._tasks = anyio.create_task_group()

    def watch_journal(self, name: str, ref: Ref) -> None:
        self._journal = Fate(name, restart_max=0, within_s=0.0)
        self._roster.register(name, ref, self._journal)

    async def start_spine(self, spine: Spine) -> None:
        fate = self._roster.spine
        fate.restart_max, fate.within_s = spine.restart_max, spine.within_s
        self._spine = spine
        await spine.start()

    async def start_organ(self, child: Child) -> None:
        """Start an organ. If it does not start, that is its first fall and not an error here."""
        fate = Fate(child.name, child.restart_max, child.within_s)
        self._roster.know(fate)
        self._organs[fate] = child
        if not await self._started(fate):
            self._mark(fate, State.RESTARTING)
            self._tasks.start_soon(self._revive, fate)

    async def broken(self) -> NoReturn:
        """Wait for the fault that ends the daemon, and raise it."""
        await self._broken.wait()
        assert self._fault is not None
        raise self._fault

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._loop = ActorLoop.current()
        self._loop.on_death = self._died
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._loop.on_death = None
        self._tasks.cancel_scope.cancel()
        return await self._tasks.__aexit__(kind, error, traceback)

    def _died(self, ref: Ref, error: BaseException) -> None:
        """Decide, inside the dying actor: nobody hears another message before this is done."""
        fate = self._roster.fate_of(ref)
        if fate is None:
            return
        if fate is self._journal:
            self._mark(fate, State.DOWN)
            self._break(StorageBroken(f"the journal died: {error!r}"))
        elif not isinstance(error, Exception):  # pykka stops every actor over it
            self._break(SpineBroken(f"{fate.name} died: {error!r}"))
        elif fate in self._organs:
            self._mark(fate, State.RESTARTING)
            self._roster.unregister(fate.name)
            self._tasks.start_soon(self._revive, fate)
        else:
            self._fall()

    def _fall(self) -> None:
        """Kill the whole spine; it rises once, however many of it fall meanwhile."""
        fate = self._roster.spine
        fate.fall(self._now())
        self._left += self._roster.kill_spine()
        self._fallen = True
        if fate.state is State.RUNNING:
            self._mark(fate, State.RESTARTING)
            self._tasks.start_soon(self._rise)

    async def _rise(self) -> None:
        fate, spine = self._roster.spine, self._spine
        while self._fallen:
            self._fallen = False
            if spine is None or not await self._flushed(spine) or fate.worn_out:
                self._mark(fate, State.DOWN)
                self._break(SpineBroken(f"the spine fell {fate.recent_falls} times"))
                return
            fate.restarts += 1
            try:
                with anyio.fail_after(spine.patience_s):
                    await spine.start()
            except Exception:
                log.exception("the spine does not rise")
                self._fall()
            if self._fallen:
                self._roster.kill_spine()  # what `start` registered after somebody fell
        self._mark(fate, State.RUNNING)

    async def _flushed(self, spine: Spine) -> bool:
        """Let the journal answer what it holds, then refuse whatever else was on the spine."""
        outcome = "unknown"
        try:
            with anyio.fail_after(spine.patience_s):
                await spine.flush()
            outcome = "not-applied"
        except Exception:
            log.exception("the journal was not flushed")
        left, self._left = self._left, []
        refuse(left, "the daemon restarts a part of itself", outcome=outcome)
        return outcome == "not-applied"

    async def _revive(self, fate: Fate) -> None:
        child = self._organs[fate]
        while True:
            fate.fall(self._now())
            if fate.worn_out:
                self._mark(fate, State.DOWN)
                return
            await self._sleep(child.backoff(fate.recent_falls))
            fate.restarts += 1
            if await self._started(fate):
                return

    async def _started(self, fate: Fate) -> bool:
        try:
            self._roster.register(fate.name, await self._organs[fate].start(), fate)
        except Exception:
            log.exception("%s does not start", fate.name)
            return False
        self._mark(fate, State.RUNNING)
        return True

    def _mark(self, fate: Fate, state: State) -> None:
        if fate.state is not state:
            fate.state = state
            log.log(
                logging.INFO if state is State.RUNNING else logging.ERROR,
                "%s is %s",
                fate.name,
                state,
                extra={"actor": fate.name, "state": state, "restarts": fate.restarts},
            )
            self._on_change(fate)

    def _break(self, fault: Broken) -> None:
        if self._fault is None:
            self._fault = fault
            self._roster.close(str(fault))
            self._broken.set()
