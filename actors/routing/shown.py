"""The choice as callers read it: every candidate with its cost, its room and its reason."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Literal

from actors.policy.rule import UNLIMITED
from actors.routing.router import Candidate, Plan
from protocols.errors import BudgetError, Denied, Unroutable
from protocols.money import show_usd
from protocols.policy.charge import Amounts
from protocols.policy.choice import Chosen, Weighing
from protocols.routing.messages import CandidateShown, Room, Routed
from protocols.routing.words import Reason

Row = tuple[Candidate, Weighing | None]
ALLOCATION = "allocation:"


def routed(plan: Plan, found: Chosen, limit: int) -> Routed:
    """Those that fit first, in the order they were tried; then those that do not."""
    rows = list(_rows(plan, found))
    taken = _taken(plan, found)
    shown = sorted(
        (candidate(one, weighing, taken=one is taken) for one, weighing in rows),
        key=lambda row: row.verdict == "refused",
    )
    error, _ = stopped(found)
    return Routed(
        outcome=_outcome(plan, taken),
        provider=None if taken is None else taken.provider,
        model=None if taken is None else taken.model,
        route=plan.route,
        detail=_told(plan, taken, shown),
        candidates=shown[:limit],
        candidates_total=len(shown),
        fitting=sum(row.verdict != "refused" for row in shown),
        denial=None if taken is not None or error is None else error.problem(),
    )


def stopped(found: Chosen) -> tuple[BudgetError | None, int | None]:
    """The first option that the budget stopped: why, and its place."""
    for place, weighing in enumerate(found.weighings):
        if weighing is not None and weighing.error is not None:
            return weighing.error, place
    return None, None


def refusal(found: Chosen, reply: Routed) -> tuple[BudgetError, int | None]:
    """What to refuse the caller with, and the place of the option that a limit stopped."""
    error, place = stopped(found)
    told = {"route": reply.route, "candidates": [asdict(one) for one in reply.candidates]}
    if error is None:
        hint = "ask for less, name other candidates, or say in [[model]] what a model can do"
        return Unroutable(reply.detail, hint=hint, **told), None
    return type(error)(error.detail, hint=error.hint, **error.facts, **told), place


def candidate(one: Candidate, weighing: Weighing | None, *, taken: bool) -> CandidateShown:
    verdict, reason, detail = _verdict(one, weighing, taken=taken)
    estimate = one.estimate
    return CandidateShown(
        provider=one.provider,
        model=one.model,
        tier=one.tier,
        verdict=verdict,
        reason=reason,
        detail=detail,
        usd=None if estimate is None else show_usd(estimate.amounts.usd),
        tokens=None if estimate is None else estimate.amounts.tokens,
        price_version=None if estimate is None else estimate.version.id,
        price_source=None if estimate is None else estimate.version.source,
        context_window=one.abilities.window,
        room=None if weighing is None else _room(weighing.left),
    )


def _verdict(
    one: Candidate, weighing: Weighing | None, *, taken: bool
) -> tuple[Literal["taken", "fits", "past_limit", "refused"], Reason | None, str]:
    if one.barred is not None:
        reason, detail = one.barred
        return "refused", reason, detail
    assert weighing is not None
    error = weighing.error
    if error is not None:
        own = str(error.facts.get("policy", "")).startswith(ALLOCATION)
        stop: Reason = "allocation" if own else "limit" if isinstance(error, Denied) else "unpriced"
        return "refused", stop, error.detail
    beyond = weighing.verdict == "past_limit"
    detail = "fits, beyond a limit that it may pass" if beyond else "fits"
    return "taken" if taken else weighing.verdict, None, detail


def _rows(plan: Plan, found: Chosen) -> Iterator[Row]:
    """Each candidate with its weighing: only those with a price were weighed."""
    weighings = iter(found.weighings)
    for one in plan.candidates:
        yield one, None if one.estimate is None else next(weighings)


def _taken(plan: Plan, found: Chosen) -> Candidate | None:
    priced = [one for one in plan.candidates if one.estimate is not None]
    return None if found.place is None else priced[found.place]


def _room(left: Amounts) -> Room:
    usd, tokens, calls = (None if amount >= UNLIMITED else amount for amount in left)
    return Room(None if usd is None else show_usd(usd), tokens, calls)


def _outcome(
    plan: Plan, taken: Candidate | None
) -> Literal["as_asked", "downgraded", "chosen", "refused"]:
    if taken is None:
        return "refused"
    if taken.asked:
        return "as_asked"
    able = any(one.asked and one.barred is None for one in plan.candidates)
    return "downgraded" if able else "chosen"


def _told(plan: Plan, taken: Candidate | None, shown: list[CandidateShown]) -> str:
    """The choice in a sentence."""
    asked = next((one for one in plan.candidates if one.asked), None)
    name = "" if taken is None else f"{taken.provider}/{taken.model}"
    if taken is not None and taken is asked:
        return f"{name} fits as asked"
    if taken is not None and asked is None:
        return f"{name} is the first of {len(shown)} candidates that fits"
    row = next((row for row in shown if asked is None or _is(row, asked)), None)
    why = "" if row is None else f"{row.provider}/{row.model}: {row.detail}; "
    end = f"{name} takes its place" if name else f"none of {len(shown)} candidates fits"
    return why + end


def _is(row: CandidateShown, one: Candidate) -> bool:
    return (row.provider, row.model) == (one.provider, one.model)
