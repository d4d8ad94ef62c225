"""Which model instead: `Route`, and the downgrade of a call whose policies ask for one."""

from typing import Any

from actors.ledger import opening, replies
from actors.ledger.desk import Desk
from actors.ledger.estimate import Estimate, of_option
from actors.ledger.hold import Hold
from actors.ledger.task import Choice, Task
from actors.routing import shown
from actors.routing.router import Errand, World
from protocols.errors import BudgetError
from protocols.ledger import Check, Explain, Instead, Reserve
from protocols.message import Call
from protocols.names import RESERVATION, hold_id
from protocols.policy.charge import ZERO, Admit, Refused, Subject, Weighed
from protocols.policy.choice import Choose, Chosen
from protocols.routing.messages import Route, Routed
from protocols.wanted import Job


def route(desk: Desk, task: Task, call: Call[Any]) -> None:
    """Weigh every candidate; with `hold`, the one that is taken is held in the same step."""
    wanted: Route = task.request
    if wanted.hold:
        opening.check_open(desk)
    errand = Errand(
        wanted, wanted.provider, wanted.model, wanted.candidates, wanted.max_usd, wanted.order,
        wanted.limit,
    )  # fmt: skip
    choose(desk, task, errand, call, take=wanted.hold)


def may_downgrade(task: Task, found: Refused | Weighed) -> bool:
    """A sum given by the caller says nothing of what another model would cost."""
    wanted = task.request
    return (
        found.downgrade
        and isinstance(wanted, Reserve | Check | Explain)
        and wanted.usd is None
        and not wanted.exact_model
    )


def downgrade(desk: Desk, task: Task, found: Refused | Weighed, call: Call[Any]) -> None:
    """The call as asked was refused by policies that would rather have a cheaper model."""
    wanted: Reserve | Check | Explain = task.request
    errand = Errand(wanted, wanted.provider, wanted.model)
    choose(desk, task, errand, call, take=isinstance(wanted, Reserve), told=found)


def choose(
    desk: Desk, task: Task, errand: Errand, call: Call[Any], *, take: bool,
    told: Refused | Weighed | None = None,
) -> None:  # fmt: skip
    world = World(desk.book, desk.tiers, desk.count, desk.time.now_ms())
    plan = desk.router.plan(errand, world)
    options = plan.options if told is None else plan.for_downgrade()
    name = hold_id(RESERVATION, world.now_ms, desk.number) if take else ""
    task.choice = Choice(plan, options, name, told)
    shown, down = (errand.shown, False) if told is None else (0, True)
    asked = Choose(unnamed(name, errand.job), options, take, shown, task, down)
    desk.ask_policy(asked, call)


def unnamed(name: str, job: Job) -> Admit:
    """The call, whichever model serves it."""
    subject = Subject(
        job.component, "", "", "", job.task_type, job.context_id, tuple(sorted(job.tags.items()))
    )
    return Admit(
        name, subject, ZERO, job.priority, job.ttl_s,
        estimate=None, version=None, priced=True, covers=None, parent=job.allocation_id, memo=None,
    )  # fmt: skip


def chosen(desk: Desk, found: Chosen, call: Call[Any]) -> None:
    """The policy engine has chosen."""
    task: Task = found.memo
    assert task.choice is not None
    place, options = found.place, task.choice.options
    taken = None if place is None else of_option(task.request, options[place])
    match task.choice.told:
        case None:
            routed(desk, task, found, taken, call)
        case Weighed() as told:
            instead_taken = None if place == 0 else taken
            call.answer(replies.weighed(task.request, task.estimate, told, instead_taken))
        case Refused() as told if taken is None:
            opening.refuse(desk, task, told.error, found.turn, call)
        case Refused() as told:
            assert task.estimate is not None
            instead = None if place == 0 else instead_of(task.estimate, told.error)
            hold = open_hold(desk, task, taken)
            if instead is not None:
                hold.instead_of = f"{instead.provider}/{instead.model}"
            assert found.admitted is not None
            reply = replies.reservation(hold, found.admitted, instead)
            opening.keep(desk, task, found.admitted, reply, call)


def routed(desk: Desk, task: Task, found: Chosen, taken: Estimate | None, call: Call[Any]) -> None:
    """The answer to `Route`: the candidates, and the reservation if one was asked for."""
    assert task.choice is not None
    wanted: Route = task.request
    reply = shown.routed(task.choice.plan, found, wanted.limit)
    if taken is None and wanted.hold:
        refuse(desk, task, found, reply, call)
    elif taken is None or found.admitted is None:
        desk.once.conclude(task, [], reply, call)
    else:
        hold = open_hold(desk, task, taken)
        reply.reservation = replies.reservation(hold, found.admitted)
        opening.keep(desk, task, found.admitted, reply, call)


def refuse(desk: Desk, task: Task, found: Chosen, reply: Routed, call: Call[Any]) -> None:
    """Nothing fits. A limit that stood in the way is written down like any refusal."""
    error, place = shown.refusal(found, reply)
    assert task.choice is not None
    if place is not None:
        open_hold(desk, task, of_option(task.request, task.choice.options[place]))
    opening.refuse(desk, task, error, found.turn, call)


def open_hold(desk: Desk, task: Task, estimate: Estimate) -> Hold:
    assert task.choice is not None
    task.estimate = estimate
    task.hold = opening.new_hold(desk, RESERVATION, task.request, estimate, task.choice.hold)
    return task.hold


def instead_of(asked: Estimate, error: BudgetError) -> Instead:
    subject, policy = asked.subject, str(error.facts.get("policy", ""))
    return Instead(subject.provider, subject.model, policy, error.detail)
