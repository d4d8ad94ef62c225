"""The answers, as callers read them."""

from actors.ledger.estimate import Estimate
from actors.ledger.hold import Hold, figures
from protocols.errors import Denied
from protocols.ledger import (
    Allocation,
    Booked,
    Check,
    Checked,
    Explain,
    Explanation,
    Instead,
    Reservation,
    WouldHold,
)
from protocols.money import show_usd
from protocols.period import rfc3339
from protocols.policy.charge import AXES, Admitted, Amounts, Covers, Weighed


def reservation(hold: Hold, found: Admitted, instead: Instead | None = None) -> Reservation:
    return Reservation(
        reservation_id=hold.id,
        status="held",
        outcome="warned" if found.warnings else "allowed",
        component=hold.subject.component,
        provider=hold.subject.provider,
        model=hold.subject.model,
        held=figures(hold.held),
        price_version=hold.price.id if hold.price is not None else "",
        estimated=hold.estimated,
        expires_at=rfc3339(hold.expires_ms),
        warnings=found.warnings,
        policies=found.standings,
        instead_of=instead,
    )


def allocation(hold: Hold, covers: Covers, found: Admitted) -> Allocation:
    return Allocation(
        allocation_id=hold.id,
        status="held",
        outcome="warned" if found.warnings else "allowed",
        component=hold.subject.component,
        context_id=hold.subject.context_id or "",
        tier=hold.subject.tier,
        task_type=hold.subject.task_type,
        priority=hold.priority,
        held=figures(hold.held),
        covers=[axis for axis, covered in zip(AXES, covers, strict=True) if covered],
        expires_at=rfc3339(hold.expires_ms),
        warnings=found.warnings,
        policies=found.standings,
    )


def booked(hold_id: str | None, status: str, kind: str, amounts: Amounts) -> Booked:
    return Booked(hold_id, status, kind, show_usd(amounts.usd), amounts.tokens)


def weighed(
    wanted: Check | Explain, estimate: Estimate | None, found: Weighed,
    instead: Estimate | None = None,
) -> Checked | Explanation:  # fmt: skip
    """The outcome in one word, and for `Explain` every policy that was looked at."""
    error = found.error
    if instead is not None:
        outcome = "downgraded"
    elif error is not None:
        outcome = "denied" if isinstance(error, Denied) else "unpriced"
    else:
        outcome = "warned" if found.warnings else "allowed"
    would_hold = None if estimate is None else figures(estimate.amounts)
    version = None if estimate is None else estimate.version.id
    problem = None if error is None else error.problem()
    if isinstance(wanted, Explain):
        return Explanation(
            outcome,  # type: ignore[arg-type]
            would_hold, version, found.considered, smallest_change(found), problem,
            would(instead),
        )  # fmt: skip
    return Checked(
        allowed=error is None or instead is not None,
        outcome=outcome,  # type: ignore[arg-type]
        would_hold=would_hold,
        price_version=version,
        estimated=estimate is None or estimate.estimated,
        warnings=found.warnings,
        policies=found.standings,
        denial=problem,
        instead=would(instead),
    )


def would(instead: Estimate | None) -> WouldHold | None:
    if instead is None:
        return None
    subject = instead.subject
    return WouldHold(subject.provider, subject.model, figures(instead.amounts))


def smallest_change(found: Weighed) -> str | None:
    """The least that would let the call through, as a sentence."""
    error = found.error
    if error is None:
        return None
    if not isinstance(error, Denied):
        return error.hint
    facts = error.facts
    fits = facts.get("fits")
    if isinstance(fits, dict):
        return f"ask for at most {fits['max_output_tokens']} output tokens"
    cheaper = facts.get("cheaper")
    if isinstance(cheaper, list) and cheaper:
        best = cheaper[0]
        return f"call {best['model']} instead, about {best['usd']} USD"
    return f"raise {facts['axis']} of {facts['policy']} by the {facts['asked']} that are asked"
