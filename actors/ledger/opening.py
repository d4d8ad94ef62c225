"""Reserve, allocate, check, explain: before a model is called."""

from math import inf
from typing import Any

from actors.ledger import drafts, replies, routing
from actors.ledger.desk import Desk
from actors.ledger.ending import over
from actors.ledger.estimate import Estimate, covers, for_allocation, for_call
from actors.ledger.hold import Hold
from actors.ledger.task import Task
from protocols.errors import BudgetError, Busy, Denied, HoldEnded, Unpriced
from protocols.ledger import Allocate, Check, Explain, Reserve
from protocols.message import Call
from protocols.names import ALLOCATION, RESERVATION, hold_id
from protocols.policy.charge import Admit, Admitted, Covers, Places, Refused, Weigh, Weighed
from protocols.wanted import Job


def reserve(desk: Desk, task: Task, call: Call[Any]) -> None:
    """Price the call at its worst and ask whether that may be held."""
    wanted: Reserve = task.request
    check_open(desk)
    estimate = for_call(desk.book, desk.tiers, wanted, desk.count)
    hold = new_hold(desk, RESERVATION, wanted, estimate)
    task.hold, task.estimate = hold, estimate
    desk.ask_policy(admit(hold.id, wanted, estimate, task), call)


def allocate(desk: Desk, task: Task, call: Call[Any]) -> None:
    """Set a sum aside for a context; its draws need not ask again on the axes it covers."""
    wanted: Allocate = task.request
    check_open(desk)
    estimate = for_allocation(desk.book, desk.tiers, wanted)
    hold = new_hold(desk, ALLOCATION, wanted, estimate)
    task.hold, task.estimate = hold, estimate
    ask = Admit(
        hold.id, estimate.subject, estimate.amounts, wanted.priority, wanted.ttl_s,
        estimate=None, version=None, priced=True,
        covers=covers(wanted, estimate.amounts), parent=None, memo=task,
    )  # fmt: skip
    desk.ask_policy(ask, call)


def new_hold(
    desk: Desk, kind: str, wanted: Job | Allocate, estimate: Estimate, name: str | None = None
) -> Hold:
    now_ms = desk.time.now_ms()
    usage = estimate.usage
    return Hold(
        id=name or hold_id(kind, now_ms, desk.number),
        subject=estimate.subject,
        priority=wanted.priority,
        price=estimate.version,
        estimated=estimate.estimated,
        asked=estimate.amounts,
        held=estimate.amounts,
        expires_ms=now_ms + wanted.ttl_s * 1000,
        deadline=inf,  # the engine says when, as it admits it
        places=Places(parent=getattr(wanted, "allocation_id", None)),
        metadata=dict(wanted.metadata),
        estimate=None if usage is None else usage.counts,
        needs=getattr(wanted, "needs", ()),
        exact_model=getattr(wanted, "exact_model", False),
    )


def check_open(desk: Desk) -> None:
    """Raises `Busy` when the component has as many holds open as it may."""
    if len(desk.holds) >= desk.directory.open_max:
        raise Busy(
            f"{desk.component} has {len(desk.holds)} holds open, as many as one component may",
            hint="settle or release some, give them a shorter ttl_s, or raise holds.open in "
            "budget.toml",
            open=len(desk.holds), retry_after_s=1,
        )  # fmt: skip


def admit(name: str, wanted: Job, estimate: Estimate, memo: Any) -> Admit:
    return Admit(
        name, estimate.subject, estimate.amounts, wanted.priority, wanted.ttl_s,
        estimate=estimate.usage, version=estimate.version, priced=estimate.priced,
        covers=None, parent=wanted.allocation_id, memo=memo,
    )  # fmt: skip


def admitted(desk: Desk, found: Admitted, call: Call[Any]) -> None:
    """It is held: keep it, write it down, answer."""
    task: Task = found.memo
    hold = task.hold
    assert hold is not None
    if hold.is_allocation:
        chosen = covers(task.request, hold.asked)
        keep(desk, task, found, replies.allocation(hold, chosen, found), call, chosen)
    else:
        keep(desk, task, found, replies.reservation(hold, found), call)


def keep(
    desk: Desk, task: Task, found: Admitted, reply: Any, call: Call[Any],
    chosen: Covers | None = None,
) -> None:  # fmt: skip
    hold = task.hold
    assert hold is not None
    hold.places, hold.deadline = found.places, found.deadline
    desk.note_parent(found.places)
    desk.holds[hold.id] = hold
    entries = [] if hold.price is None else desk.directory.price_drafts(hold.price)
    entry = drafts.opened(hold, chosen, call.caller.name)
    entries.append(drafts.with_crossed(entry, found.crossed))
    desk.once.conclude(task, entries, reply, call)


def refused(desk: Desk, found: Refused, call: Call[Any]) -> None:
    """A refusal for lack of budget is an answer like any other: written down and kept."""
    task: Task = found.memo
    if task.hold is not None and task.hold.ending:
        task.hold.ending = False
        if task.hold.status != "held":
            over(desk, task.hold)
    if routing.may_downgrade(task, found):
        routing.downgrade(desk, task, found, call)
    else:
        refuse(desk, task, found.error, found.turn, call)


def refuse(desk: Desk, task: Task, error: BudgetError, turn: int, call: Call[Any]) -> None:
    if not isinstance(error, Denied):
        desk.once.give_up(task, error, call)
        return
    assert task.hold is not None
    asked = task.amounts if task.estimate is None else task.estimate.amounts
    entry = drafts.denied(task.hold, asked, error, call.caller.name)
    entry.body["turn"] = turn
    if task.estimate is None:
        entry.body["extends"] = True
    desk.once.conclude(task, [entry], error, call)


def weigh(desk: Desk, wanted: Check | Explain, call: Call[Any]) -> None:
    """As reserve, but nothing is held."""
    task = Task(wanted)
    try:
        task.estimate = for_call(desk.book, desk.tiers, wanted, desk.count)
    except Unpriced as error:
        call.answer(replies.weighed(wanted, None, Weighed([], [], error, [], None)))
        return
    ask = admit("", wanted, task.estimate, task)
    desk.ask_policy(Weigh(ask, explain=isinstance(wanted, Explain)), call)


def weighed(desk: Desk, found: Weighed, call: Call[Any]) -> None:
    task: Task = found.memo
    if isinstance(found.error, HoldEnded):
        call.refuse(found.error)
    elif routing.may_downgrade(task, found):
        routing.downgrade(desk, task, found, call)
    else:
        call.answer(replies.weighed(task.request, task.estimate, found))
