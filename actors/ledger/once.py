"""One answer for one key: the flow around every request that may be repeated."""

import hashlib
from collections.abc import Callable
from typing import Any

from actors.ledger.keys import Flight, Keys, digest
from actors.ledger.sieve import UsedKeys
from actors.ledger.task import Task
from actors.tell import Tell
from protocols.errors import BudgetError, KeyReused
from protocols.journal import Append, Draft, FindKey, KeyFound, KeyUsed
from protocols.ledger import Record
from protocols.message import Call, Caller
from protocols.stored_answer import restore

Work = Callable[[Task, Call[Any]], None]


class Once:
    """Starts work for a new key, and ends every piece of work: written down, then answered."""

    def __init__(self, ledger: str, component: str, tell: Tell, used: UsedKeys) -> None:
        self.ledger = ledger
        self.component = component
        self.tell = tell
        self.keys = Keys(used)

    def begin(self, request: Any, call: Call[Any], work: Work) -> None:
        """Do the work, unless its key was answered, is being worked on, or must be looked up."""
        key, fingerprint = self._key(request, call.caller)
        task = Task(request, key)
        if key is None:
            self._start(task, call, work)
            return
        flight = self.keys.flights.get(key)
        known = self.keys.known(key)
        if flight is not None:
            check_same(flight.fingerprint, fingerprint)
            flight.waiting.append(call)
        elif known is not None:
            check_same(known.fingerprint, fingerprint)
            self.tell("journal", Append([], known.answer), call)
        else:
            self.keys.flights[key] = Flight(fingerprint)
            if self.keys.maybe_in_journal(key):
                self.tell("journal", FindKey(self.ledger, key, task), call)
            else:
                self._start(task, call, work)

    def found(self, answer: KeyFound, call: Call[Any], work: Work) -> None:
        """The journal has looked: repeat the stored answer, or start."""
        task: Task = answer.memo
        assert task.key is not None
        if answer.fingerprint is None:
            self._start(task, call, work)
            return
        if answer.fingerprint != self.keys.flights[task.key].fingerprint:
            self.give_up(task, reused(), call)
            return
        assert answer.answer is not None
        kept = restore(type(task.request), answer.answer, refused=answer.refused)
        flight = self.keys.land(task.key, kept)
        for waiter in [call, *flight.waiting]:
            self.tell("journal", Append([], kept), waiter)

    def conclude(
        self, task: Task, drafts: list[Draft], answer: Any, call: Call[Any], *, stamp: bool = False
    ) -> None:
        """Write the entries and the key in one step; then the journal answers."""
        used = None
        waiting: list[Call[Any]] = []
        if task.key is not None:
            flight = self.keys.land(task.key, answer)
            used = KeyUsed(task.key, flight.fingerprint)
            waiting = flight.waiting
        self.tell("journal", Append(drafts, answer, used, stamp), call)
        for waiter in waiting:
            self.tell("journal", Append([], answer), waiter)

    def give_up(self, task: Task, error: BudgetError, call: Call[Any]) -> None:
        """It came to nothing that is kept. What led here may still be on its way to the disk,
        so the refusal waits its turn behind it.
        """
        waiting = [] if task.key is None else self.keys.abandon(task.key).waiting
        for waiter in [call, *waiting]:
            self.tell("journal", Append([], error), waiter)

    def _start(self, task: Task, call: Call[Any], work: Work) -> None:
        try:
            work(task, call)
        except BudgetError as error:
            self.give_up(task, error, call)

    def _key(self, request: Any, caller: Caller) -> tuple[bytes | None, bytes]:
        operation = type(request).__name__
        if caller.key is not None:
            key = digest(self.component, operation, caller.name, "key", caller.key)
            return key, caller.fingerprint
        if type(request) is Record and request.response_id is not None:
            provider = request.provider or ""
            about = (self.component, operation, provider, "response", request.response_id)
            told = f"{request.model} {sorted(request.usage.items(), key=str)}"
            return digest(*about), hashlib.sha256(told.encode()).digest()
        return None, b""


def check_same(kept: bytes, now: bytes) -> None:
    if kept != now:
        raise reused()


def reused() -> KeyReused:
    return KeyReused(
        "this key was used before with another body",
        hint="repeat the first body exactly, or take a new key",
    )
