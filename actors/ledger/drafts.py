"""What a ledger writes down: one function for each kind of entry."""

from typing import Any

from actors.ledger.hold import Hold, places_body
from actors.ledger.task import Priced, Task
from actors.subject import subject_body
from protocols.errors import BudgetError
from protocols.journal import Draft
from protocols.ledger import Extend, ExtendAllocation
from protocols.policy.charge import Amounts, Covers, Crossed, Places, Subject


def opened(hold: Hold, covers: Covers | None, by: str) -> Draft:
    """`held` or `allocated`: all that is needed to rebuild the hold."""
    body = subject_body(hold.subject) | amounts_body(hold.asked) | places_body(hold.places)
    body |= {
        "priority": hold.priority,
        "price_version": hold.price.id if hold.price is not None else None,
        "estimated": hold.estimated,
        "expires_ms": hold.expires_ms,
        "by": by,
    }
    body |= wanted_body(hold)
    if covers is not None:
        body["covers"] = list(covers)
    if hold.metadata:
        body["metadata"] = hold.metadata
    kind = "allocated" if hold.is_allocation else "held"
    return Draft(kind, hold.subject.component, hold.id, body)


def wanted_body(hold: Hold) -> dict[str, Any]:
    """What routing looked at, or would have: so that the past can be decided again."""
    body: dict[str, Any] = {}
    if hold.estimate is not None:
        body["estimate"] = hold.estimate
    if hold.needs:
        body["needs"] = list(hold.needs)
    if hold.exact_model:
        body["exact_model"] = True
    if hold.instead_of is not None:
        body["instead_of"] = hold.instead_of
    return body


def booked(
    kind: str, subject: Subject, about: str, priced: Priced, amounts: Amounts, task: Task, by: str
) -> Draft:
    """`settled`, `overrun`, `late`, `drawn` or `recorded`: usage, price version, money."""
    body = subject_body(subject) | amounts_body(amounts)
    body |= {
        "usage": priced.usage.flat(),
        "price_version": priced.version.id,
        "estimated": priced.estimated,
        "by": by,
    }
    if priced.at_hold:
        body["at_hold"] = True
    elif priced.version.envelope:
        body["provisional"] = True
    if priced.at_ms is not None:
        body["priced_at_ms"] = priced.at_ms
    response_id = getattr(task.request, "response_id", None)
    if response_id is not None:
        body["response_id"] = response_id
    return Draft(kind, subject.component, about, body)


def with_places(draft: Draft, places: Places, held: Amounts | None = None) -> Draft:
    draft.body |= places_body(places)
    if held is not None:
        draft.body["left"] = list(held)
    return draft


def with_crossed(draft: Draft, crossed: Crossed | None) -> Draft:
    """Thresholds that were reached go with what reached them, so that both are written or none."""
    if crossed:
        draft.body["crossed"] = crossed
    return draft


def denied(hold: Hold, amounts: Amounts, error: BudgetError, by: str) -> Draft:
    """A refusal, with the limit that said no."""
    names = ("policy", "key", "axis", "limit", "used", "held", "resets_at")
    facts = {name: error.facts.get(name) for name in names}
    body = subject_body(hold.subject) | amounts_body(amounts) | facts
    body |= {"priority": hold.priority, "by": by}
    body |= wanted_body(hold)
    if hold.places.parent is not None:
        body["parent"] = hold.places.parent
    return Draft("denied", hold.subject.component, hold.id, body)


def ended(kind: str, hold: Hold, places: Places, by: str) -> Draft:
    """`released` or `expired`."""
    return Draft(kind, hold.subject.component, hold.id, places_body(places) | {"by": by})


def extended(hold: Hold, asked: Extend | ExtendAllocation, places: Places, by: str) -> Draft:
    body: dict[str, Any] = places_body(places)
    body |= {
        "left": list(hold.held), "expires_ms": hold.expires_ms, "by": by,
        "usd": asked.usd or 0, "tokens": asked.tokens or 0,
    }  # fmt: skip
    return Draft("extended", hold.subject.component, hold.id, body)


def amounts_body(amounts: Amounts) -> dict[str, Any]:
    return {"usd": amounts.usd, "tokens": amounts.tokens, "calls": amounts.calls}
