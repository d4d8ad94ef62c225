"""Settle, release, extend, record, and holds that end by themselves: after the call."""

from typing import Any

from actors.ledger import drafts, replies
from actors.ledger.desk import Desk
from actors.ledger.estimate import booking_price, subject_of
from actors.ledger.hold import Hold, less, shown
from actors.ledger.task import Task, charge_hold, price_usage
from protocols.errors import HoldEnded, Invalid
from protocols.journal import Recall
from protocols.ledger import (
    Extend,
    ExtendAllocation,
    Record,
    Release,
    ReleaseAllocation,
    Released,
    Settle,
    ShowAllocation,
    ShowReservation,
)
from protocols.message import Call
from protocols.policy.charge import (
    ZERO,
    Amounts,
    Enlarge,
    Enlarged,
    Lapsed,
    Places,
    Post,
    Posted,
    Return,
    Returned,
)
from protocols.tiers import tier_of

Show = ShowReservation | ShowAllocation
Giving = Release | ReleaseAllocation
Growing = Extend | ExtendAllocation


def id_of(request: Any) -> str:
    name: str = getattr(request, "reservation_id", None) or request.allocation_id
    return name


def show(desk: Desk, request: Show, call: Call[Any]) -> None:
    hold = desk.holds.get(id_of(request))
    if hold is None:
        recall(desk, Task(request), call)
    else:
        call.answer(shown(hold, desk.time.monotonic()))


def end(desk: Desk, task: Task, call: Call[Any]) -> None:
    """Settle, release or extend a hold: here if it is open, else ask what became of it."""
    hold = desk.holds.get(id_of(task.request))
    if hold is None:
        recall(desk, task, call)
    elif hold.ending:
        hold.latecomers.append((task, call))
    else:
        go_on(desk, hold, task, call)


def go_on(desk: Desk, hold: Hold, task: Task, call: Call[Any]) -> None:
    task.hold = hold
    request: Settle | Giving | Growing = task.request
    match request:
        case Settle():
            settle(desk, hold, task, call)
        case Release() | ReleaseAllocation():
            hold.ending = True
            desk.ask_policy(Return(hold.id, desk.component, task), call)
        case Extend() | ExtendAllocation():
            grow(desk, hold, task, call)


def settle(desk: Desk, hold: Hold, task: Task, call: Call[Any]) -> None:
    """Price what was used with the pinned version, and book it. Limits play no part."""
    request: Settle = task.request
    subject = hold.subject
    pinned = hold.price
    if request.model is not None and request.model != subject.model:
        tier = tier_of(desk.component, subject.provider, request.model, desk.tiers)
        subject = subject._replace(model=request.model, tier=tier)
        pinned = None
    if request.usage:
        priced = price_usage(
            desk.book, subject.provider, subject.model, pinned, request.usage, desk.time.now_ms()
        )
    else:
        version = hold.price or booking_price(desk.book, subject.provider, subject.model)[1]
        priced = charge_hold(hold, version)
    tokens = hold.unspent.tokens if priced.at_hold else priced.usage.tokens
    task.priced = priced
    task.amounts = Amounts(priced.usd, tokens, 1 if request.final else 0)
    hold.ending = request.final
    places = hold.places
    desk.ask_policy(Post(hold.id, subject, task.amounts, request.final, places, task), call)


def record(desk: Desk, task: Task, call: Call[Any]) -> None:
    """Usage that nobody held for. It happened, so it is booked."""
    request: Record = task.request
    provider, version, known = booking_price(desk.book, request.provider, request.model)
    tier = tier_of(desk.component, provider, request.model, desk.tiers)
    subject = subject_of(request, provider, request.model, tier)
    if not request.usage:
        raise Invalid(
            "usage is empty: there is nothing to record",
            hint="send the provider's usage object as it came",
            errors=[{"field": "usage", "problem": "empty", "remedy": "at least one count"}],
        )
    pinned = version if known else None
    task.priced = price_usage(
        desk.book, provider, request.model, pinned, request.usage, desk.time.now_ms()
    )
    task.amounts = Amounts(task.priced.usd, task.priced.usage.tokens, 1)
    at = Places(parent=request.allocation_id)
    desk.ask_policy(
        Post(None, subject, task.amounts, final=True, places=at, memo=(task, subject)), call
    )


def posted(desk: Desk, found: Posted, call: Call[Any]) -> None:
    """Booked in memory: write it down, answer, and tell whoever came second."""
    if isinstance(found.memo, tuple):
        recorded(desk, found, call)
        return
    task: Task = found.memo
    hold, priced = task.hold, task.priced
    assert hold is not None
    assert priced is not None
    request: Settle = task.request
    hold.places, hold.held = found.places, found.held
    hold.spend(task.amounts)
    desk.note_parent(found.places, task.amounts)
    kind: str = found.kind
    if not request.final and kind == "settled":
        kind = "drawn"
    left = found.held
    if kind == "late":
        left = hold.lapsed = ZERO if request.final else less(hold.lapsed, task.amounts)
    if request.final:
        hold.status = "settled"
    subject = hold.subject
    if request.model is not None:
        subject = subject._replace(model=request.model)
    entry = drafts.booked(kind, subject, hold.id, priced, task.amounts, task, call.caller.name)
    drafts.with_places(entry, found.places, left)
    drafts.with_crossed(entry, found.crossed)
    entry.body["final"] = request.final
    answer = replies.booked(hold.id, hold.status, found.kind, task.amounts)
    desk.directory.note_unrecognised(priced.usage.unrecognised)
    entries = [*desk.directory.price_drafts(priced.version), entry]
    desk.once.conclude(task, entries, answer, call, stamp=True)
    if hold.status != "held":
        over(desk, hold)


def recorded(desk: Desk, found: Posted, call: Call[Any]) -> None:
    task, subject = found.memo
    entry = drafts.booked(
        "recorded", subject, found.places.parent or "", task.priced, task.amounts, task,
        call.caller.name,
    )  # fmt: skip
    drafts.with_places(entry, found.places)
    drafts.with_crossed(entry, found.crossed)
    entry.body["overrun"] = found.kind == "overrun"
    desk.note_parent(found.places, task.amounts)
    answer = replies.booked(None, "settled", found.kind, task.amounts)
    desk.directory.note_unrecognised(task.priced.usage.unrecognised)
    entries = [*desk.directory.price_drafts(task.priced.version), entry]
    desk.once.conclude(task, entries, answer, call, stamp=True)


def returned(desk: Desk, found: Returned, call: Call[Any]) -> None:
    task: Task = found.memo
    hold = task.hold
    assert hold is not None
    hold.status, hold.held = "released", ZERO
    desk.note_parent(found.places)
    entry = drafts.ended("released", hold, found.places, call.caller.name)
    desk.once.conclude(task, [entry], Released(hold.id), call, stamp=True)
    over(desk, hold)


def grow(desk: Desk, hold: Hold, task: Task, call: Call[Any]) -> None:
    request: Growing = task.request
    calls = getattr(request, "calls", None) or 0
    task.amounts = Amounts(request.usd or 0, request.tokens or 0, calls)
    desk.ask_policy(
        Enlarge(hold.id, desk.component, task.amounts, hold.priority, request.ttl_s, task), call
    )


def enlarged(desk: Desk, found: Enlarged, call: Call[Any]) -> None:
    task: Task = found.memo
    hold = task.hold
    assert hold is not None
    request: Growing = task.request
    hold.held = found.held
    desk.note_parent(found.places)
    if request.ttl_s is not None:
        hold.expires_ms = desk.time.now_ms() + request.ttl_s * 1000
        hold.deadline = desk.time.monotonic() + request.ttl_s
    entry = drafts.extended(hold, request, found.places, call.caller.name)
    drafts.with_crossed(entry, found.crossed)
    reply = shown(hold, desk.time.monotonic())
    desk.once.conclude(task, [entry], reply, call)


def lapsed(desk: Desk, found: Lapsed, call: Call[Any]) -> None:
    """The policy engine saw its deadline pass. A settle on its way will be late."""
    hold = desk.holds[found.hold]
    hold.status, hold.held, hold.lapsed = "expired", ZERO, hold.held
    desk.note_parent(found.places)
    entry = drafts.ended("expired", hold, found.places, call.caller.name)
    desk.once.conclude(Task(None), [entry], None, call)
    if not hold.ending:
        over(desk, hold)


def over(desk: Desk, hold: Hold) -> None:
    """It has ended. Whoever wanted to end it meanwhile hears so, after it is on disk; what was
    used of a hold that expired can still be booked.
    """
    desk.close(hold)
    latecomers, hold.latecomers = hold.latecomers, []
    for task, call in latecomers:
        if hold.status == "expired":
            recall(desk, task, call)
        else:
            desk.once.give_up(task, gone(hold.id, hold.status), call)


def gone(name: str, status: str) -> HoldEnded:
    return HoldEnded(
        f"{name} was {status} before", hint="a hold ends once; reserve again", ended=status
    )


def recall(desk: Desk, task: Task, call: Call[Any]) -> None:
    """Not open here: the journal knows what became of it."""
    desk.recalls += 1
    desk.tell("journal", Recall(desk.name, id_of(task.request), task), call)
