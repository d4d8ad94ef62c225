"""Who answers to which name, what is let in, and what is still unanswered."""

import asyncio  # noqa: TID251
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import anyio
from pykka import ActorDeadError

from actors.runtime import NOBODY, Envelope, HandedCall, Inbox, PendingCall, Ref, kill
from actors.supervision.fate import Fate, State
from actors.supervision.waits import Waits
from protocols.errors import BudgetError, Busy, Unavailable
from protocols.message import Call, Caller, Done, R, Request

TICK_S: Final = 0.25
"""How coarse deadlines are: one look at the oldest calls costs less than a timer for each."""


Unanswered = PendingCall | HandedCall


class Member(NamedTuple):
    ref: Ref
    inbox: Inbox
    fate: Fate


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the status table."""

    name: str
    state: State
    depth: int
    restarts: int
    handled: int


class Roster:
    """Resolves names at every message, for a ref is dead after a restart."""

    def __init__(
        self,
        *,
        in_flight_max: int = 4096,
        inbox_max: int = 1024,
        ask_timeout_s: float = 30.0,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.in_flight_max = in_flight_max
        self.inbox_max = inbox_max
        self.ask_timeout_s = ask_timeout_s
        self.spine = Fate("spine", restart_max=5, within_s=30.0)
        self._sleep = sleep
        self._now = now
        self._ticked_at = now()
        self._fates: dict[str, Fate] = {"spine": self.spine}
        self._members: dict[str, Member] = {}
        self._factories: dict[str, Callable[[str], Ref]] = {}
        self.waits = Waits()
        """How long those who asked a ledger have waited."""
        self._pending: dict[Unanswered, float] = {}
        """When each came, in that order, which is also by deadline."""
        self._closed: str | None = None
        self._idle = anyio.Event()
        self._tasks = anyio.create_task_group()

    # Names

    def register(self, name: str, ref: Ref, fate: Fate | None = None) -> None:
        """Let `ref` answer to `name`. Without a fate of its own it is part of the spine."""
        if not ref.is_alive():
            raise ActorDeadError(f"{name} died before it could be registered")
        fate = fate or self.spine
        inbox = ref.actor_inbox
        assert isinstance(inbox, Inbox), f"{ref} does not live on the loop"
        inbox.bound = self.inbox_max
        self._fates[fate.name] = fate
        self._members[name] = Member(ref, inbox, fate)

    def unregister(self, name: str) -> None:
        self._members.pop(name, None)

    def factory(self, prefix: str, make: Callable[[str], Ref]) -> None:
        """Start whoever is called `prefix…` at the first message to them; part of the spine."""
        self._factories[prefix] = make

    # Messages

    def tell(self, to: str, message: object, call: Call[Any] = NOBODY) -> None:
        """Pass work on, with the call it came with. If nobody is there, the call hears of it."""
        member = self._members.get(to)
        if member is None or member.ref.actor_stopped.is_set():
            try:
                member = self._find(to)
            except BudgetError as nobody:
                call.refuse(nobody)
                return
        member.inbox.put(Envelope(message, call))  # type: ignore[arg-type]

    async def ask(self, to: str, request: Request[R], caller: Caller) -> R:
        """Let a request in and wait for whoever answers it."""
        member = self._admit(to)
        reply = asyncio.get_running_loop().create_future()
        call = PendingCall(caller, to, self._ticked_at + self.ask_timeout_s, reply)
        self._let_in(member, request, call)
        try:
            return await reply  # type: ignore[no-any-return]
        finally:
            self._leave(call)

    def put(self, to: str, request: Request[Any], caller: Caller, done: Done) -> None:
        """Let a request in; `done` is told what came of it. Raises what is refused here."""
        member = self._admit(to)
        due = self._ticked_at + self.ask_timeout_s
        self._let_in(member, request, HandedCall(caller, to, due, done, self._leave))

    @property
    def in_flight(self) -> int:
        return len(self._pending)

    async def drain(self, timeout_s: float) -> bool:
        """Let nobody in any more and wait for what is unanswered; tell whether all got done."""
        self.close("the daemon is stopping")
        if self._pending:
            self._idle = anyio.Event()
            with anyio.move_on_after(timeout_s):
                await self._idle.wait()
        return not self._pending

    def abandon(self) -> None:
        """Refuse what is unanswered, so that the door need not wait for it any longer."""
        refuse(list(self._pending), "the daemon stopped before the answer", outcome="unknown")

    def close(self, reason: str) -> None:
        """Refuse every ask from now on. The first reason stays."""
        self._closed = self._closed or reason

    # For the status page

    def table(self) -> list[Row]:
        rows = [
            Row(name, who.fate.state, who.inbox.depth, who.fate.restarts, who.inbox.handled)
            for name, who in self._members.items()
        ]
        absent = [
            Row(name, fate.state, 0, fate.restarts, 0)
            for name, fate in self._fates.items()
            if fate.state is not State.RUNNING and name not in self._members
        ]
        return rows + absent

    # For the supervisor

    def fate_of(self, ref: Ref) -> Fate | None:
        return next((who.fate for who in self._members.values() if who.ref is ref), None)

    def kill_spine(self) -> list[Unanswered]:
        """End and forget all of the spine, factories too; return the calls it leaves behind."""
        doomed = {name: who for name, who in self._members.items() if who.fate is self.spine}
        left = [call for call in self._pending if call.to in doomed]
        for name, who in doomed.items():
            kill(who.ref)
            del self._members[name]
        self._factories.clear()
        return left

    def know(self, fate: Fate) -> None:
        """List a fate in the table before anybody of it was registered."""
        self._fates[fate.name] = fate

    # Inside

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._fail_the_overdue)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self.close("the daemon has stopped")
        self.abandon()
        self._tasks.cancel_scope.cancel()
        return await self._tasks.__aexit__(kind, error, traceback)

    def _admit(self, to: str) -> Member:
        if self._closed is not None:
            raise Unavailable(self._closed, outcome="not-applied")
        member = self._find(to)
        if member.fate.state is not State.RUNNING:
            raise self._absent(to)
        if len(self._pending) >= self.in_flight_max:
            raise busy(f"{self.in_flight_max} calls are in flight")
        if member.inbox.full:
            raise busy(f"{member.inbox.bound} messages wait for {to}")
        return member

    def _let_in(self, member: Member, request: Request[Any], call: Unanswered) -> None:
        self._pending[call] = self._now()
        member.inbox.put(Envelope(request, call))  # type: ignore[arg-type]

    def _leave(self, call: Unanswered) -> bool:
        """Forget a call; tell whether it was still unanswered."""
        came = self._pending.pop(call, None)
        if came is None:
            return False
        if call.to.startswith("ledger:"):
            self.waits.note(self._now() - came)
        if self._closed and not self._pending:
            self._idle.set()
        return True

    def _find(self, name: str) -> Member:
        member = self._members.get(name)
        if member is not None and not member.ref.actor_stopped.is_set():
            return member
        for prefix, make in self._factories.items():
            if name.startswith(prefix):
                self.register(name, make(name))
                return self._members[name]
        raise self._absent(name)

    def _absent(self, name: str) -> Unavailable:
        state = self._fates.get(name, self.spine).state
        if state is State.RESTARTING:
            return Unavailable(
                f"{name} is restarting",
                hint="try again in a second",
                outcome="not-applied",
                retry_after_s=1,
            )
        why = "is down" if state is State.DOWN else "is not running"
        return Unavailable(f"{name} {why}", hint="see `budget status`", outcome="not-applied")

    async def _fail_the_overdue(self) -> None:
        while True:
            await self._sleep(TICK_S)
            self._ticked_at = self._now()
            overdue = []
            for call in self._pending:
                if call.due > self._ticked_at:
                    break
                overdue.append(call)
            refuse(overdue, f"no answer within {self.ask_timeout_s:g} s", outcome="unknown")


def refuse(calls: Iterable[Unanswered], detail: str, *, outcome: str) -> None:
    """Refuse each call with an error of its own: a raised error remembers where it was."""
    hint = "try again" if outcome == "not-applied" else "ask again with the same key"
    for call in calls:
        call.refuse(Unavailable(detail, hint=hint, outcome=outcome))


def busy(detail: str) -> Busy:
    return Busy(detail, hint="come back in a second", retry_after_s=1)
