"""The choice as callers read it: every candidate with its cost, its room and its reason."""

from dataclasses import asdict
from itertools import chain, islice
from typing import Literal

from actors.policy.rule import UNLIMITED
from actors.routing.fit import Barred, sentence
from actors.routing.router import Plan
from protocols.errors import BudgetError, Denied, Unroutable
from protocols.money import show_usd
from protocols.policy.charge import Amounts
from protocols.policy.choice import Chosen, Option, Weighing
from protocols.routing.messages import CandidateShown, Room, Routed
from protocols.routing.offer import Offer
from protocols.routing.words import Reason

ALLOCATION = "allocation:"
Verdict = Literal["taken", "fits", "past_limit", "refused"]


def routed(plan: Plan, found: Chosen, limit: int) -> Routed:
    """Those that fit first, in the order they were tried; then those that do not."""
    weighed = list(zip(plan.options, found.weighings, strict=True))
    fitting = [pair for pair in weighed if pair[1].verdict != "refused"]
    refused = [pair for pair in weighed if pair[1].verdict == "refused"]
    taken = None if found.place is None else plan.options[found.place]
    shown = [option(one, weighing, taken=one is taken)
             for one, weighing in islice(chain(fitting, refused), limit)]  # fmt: skip
    shown += [barred(one, plan) for one in plan.barred[: limit - len(shown)]]
    error, _ = stopped(found)
    return Routed(
        outcome=_outcome(plan, taken),
        provider=None if taken is None else taken.offer.kind[0],
        model=None if taken is None else taken.offer.kind[1],
        route=plan.route,
        detail=_told(plan, taken, fitting + refused),
        candidates=shown,
        candidates_total=len(weighed) + len(plan.barred),
        fitting=len(fitting),
        denial=None if taken is not None or error is None else error.problem(),
    )


def stopped(found: Chosen) -> tuple[BudgetError | None, int | None]:
    """The first option that the budget stopped: why, and its place."""
    for place, weighing in enumerate(found.weighings):
        if weighing.error is not None:
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


def option(one: Option, weighing: Weighing, *, taken: bool) -> CandidateShown:
    verdict, reason, detail = _verdict(weighing, taken=taken)
    return _row(one.offer, verdict, reason, detail, one, weighing)


def barred(one: Barred, plan: Plan) -> CandidateShown:
    detail = sentence(one, plan.demand, asked=one.offer is plan.asked)
    return _row(one.offer, "refused", one.reason, detail, one.option, None)


def _row(
    offer: Offer, verdict: Verdict, reason: Reason | None, detail: str,
    priced: Option | None, weighing: Weighing | None,
) -> CandidateShown:  # fmt: skip
    provider, model, tier = offer.kind
    return CandidateShown(
        provider=provider,
        model=model,
        tier=tier,
        verdict=verdict,
        reason=reason,
        detail=detail,
        usd=None if priced is None else show_usd(priced.usd),
        tokens=None if priced is None else priced.load.tokens,
        price_version=None if priced is None else offer.version.id,
        price_source=None if priced is None else offer.version.source,
        context_window=offer.can.window,
        room=None if weighing is None else _room(weighing.left),
    )


def _verdict(weighing: Weighing, *, taken: bool) -> tuple[Verdict, Reason | None, str]:
    error = weighing.error
    if error is not None:
        own = str(error.facts.get("policy", "")).startswith(ALLOCATION)
        stop: Reason = "allocation" if own else "limit" if isinstance(error, Denied) else "unpriced"
        return "refused", stop, error.detail
    if weighing.verdict == "refused":
        return "refused", "limit", weighing.detail
    beyond = weighing.verdict == "past_limit"
    detail = "fits, beyond a limit that it may pass" if beyond else "fits"
    return "taken" if taken else weighing.verdict, None, detail


def _room(left: Amounts) -> Room:
    usd, tokens, calls = (None if amount >= UNLIMITED else amount for amount in left)
    return Room(None if usd is None else show_usd(usd), tokens, calls)


def _outcome(
    plan: Plan, taken: Option | None
) -> Literal["as_asked", "downgraded", "chosen", "refused"]:
    if taken is None:
        return "refused"
    if taken.asked:
        return "as_asked"
    return "downgraded" if any(one.asked for one in plan.options) else "chosen"


def _told(plan: Plan, taken: Option | None, weighed: list[tuple[Option, Weighing]]) -> str:
    """The choice in a sentence."""
    total = len(weighed) + len(plan.barred)
    name = "" if taken is None else _name(taken.offer)
    if taken is not None and taken.asked:
        return f"{name} fits as asked"
    if taken is not None and plan.asked is None:
        return f"{name} is the first of {total} candidates that fits"
    end = f"{name} takes its place" if name else f"none of {total} candidates fits"
    return _why(plan, weighed) + end


def _why(plan: Plan, weighed: list[tuple[Option, Weighing]]) -> str:
    """What is the matter with the model asked for, or else with the first there is."""
    for one, weighing in weighed:
        if one.asked or plan.asked is None:
            return f"{_name(one.offer)}: {_verdict(weighing, taken=False)[2]}; "
    for out in plan.barred:
        if out.offer is plan.asked or plan.asked is None:
            detail = sentence(out, plan.demand, asked=out.offer is plan.asked)
            return f"{_name(out.offer)}: {detail}; "
    return ""


def _name(offer: Offer) -> str:
    return f"{offer.kind[0]}/{offer.kind[1]}"
