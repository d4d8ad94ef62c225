"""Holds that are no longer open here: what the journal remembers of them, and late settles."""

from typing import Any

from actors.ledger import ending
from actors.ledger.desk import Desk
from actors.ledger.directory import unknown_hold
from actors.ledger.hold import Hold, read_places, shown
from actors.ledger.task import Task
from actors.subject import read_subject
from protocols.errors import BudgetError
from protocols.journal import Recalled, StoredHold
from protocols.ledger import Settle
from protocols.message import Call
from protocols.policy.charge import ZERO, Amounts
from protocols.prices.kept import from_body


def recalled(desk: Desk, found: Recalled, call: Call[Any]) -> None:
    desk.recalls -= 1
    task: Task = found.memo
    stored = found.hold
    stale = ending.id_of(task.request) in desk.ended_meanwhile
    if not desk.recalls:
        desk.ended_meanwhile.clear()
    try:
        if ending.id_of(task.request) in desk.holds:
            _again(desk, task, call)
        elif stale:
            ending.recall(desk, task, call)
        elif stored is None or stored.component != desk.component:
            raise unknown_hold(ending.id_of(task.request))
        else:
            _remembered(desk, stored, task, call)
    except BudgetError as error:
        desk.once.give_up(task, error, call)


def _again(desk: Desk, task: Task, call: Call[Any]) -> None:
    if isinstance(task.request, ending.Show):
        ending.show(desk, task.request, call)
    else:
        ending.end(desk, task, call)


def _remembered(desk: Desk, stored: StoredHold, task: Task, call: Call[Any]) -> None:
    hold = rebuilt(desk, stored)
    if isinstance(task.request, ending.Show):
        call.answer(shown(hold, desk.time.monotonic()))
    elif isinstance(task.request, Settle) and stored.status == "expired":
        desk.holds[hold.id] = hold
        ending.go_on(desk, hold, task, call)
    else:
        raise ending.gone(stored.id, stored.status)


def rebuilt(desk: Desk, stored: StoredHold) -> Hold:
    """A hold from its row and the entry that opened it."""
    body = stored.opened
    price = None
    if stored.price is not None:
        price = from_body(body["price_version"], stored.price)
    kept = Amounts(stored.usd, stored.tokens, stored.calls)
    is_open = stored.status == "held"
    left_s = (stored.expires_ms - desk.time.now_ms()) / 1000
    return Hold(
        id=stored.id,
        subject=read_subject(stored.component, body),
        priority=body["priority"],
        price=price,
        estimated=body["estimated"],
        asked=Amounts(body["usd"], body["tokens"], body["calls"]),
        held=kept if is_open else ZERO,
        expires_ms=stored.expires_ms,
        deadline=desk.time.monotonic() + left_s,
        places=read_places(body),
        metadata=body.get("metadata", {}),
        status=stored.status,
        spent=Amounts(stored.spent_usd, stored.spent_tokens, stored.spent_calls),
        lapsed=ZERO if is_open else kept,
        late=stored.late,
    )
