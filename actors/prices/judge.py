"""The verdict on one model's price: pure functions on votes and on what is in force.

A price is applied by itself only when two independent families say the same and no guard speaks.
Everything else stays as it is, and a person hears why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from actors.prices import guards
from actors.prices.moves import against
from actors.prices.votes import Camp, Vote, camps, core_of, merged, says
from protocols.prices.offer import Offer
from protocols.prices.version import PriceVersion


class Outcome(StrEnum):
    """What becomes of one model at a refresh."""

    APPLIED = "applied"
    CONFIRMED = "confirmed"
    SINGLE = "single"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"
    UNLISTED = "unlisted"
    PINNED = "pinned"


@dataclass(slots=True)
class Verdict:
    """`offer` is what to put in force (applied) or what a person may approve (quarantined)."""

    outcome: Outcome
    offer: Offer | None = None
    guard: str = ""
    detail: str = ""
    severity: str = "info"
    state: str = ""
    sources: tuple[str, ...] = ()
    says: dict[str, dict[str, str]] = field(default_factory=dict)


def judge(votes: Sequence[Vote], now: PriceVersion | None) -> Verdict:
    """Judge what the sources say of one model against the price in force, if there is one."""
    told = says(votes)
    believable, impossible = [], []
    for vote in votes:
        why = guards.absolute(vote.offer)
        if why is None:
            believable.append(vote)
        else:
            impossible.append(f"{vote.source}: {why}")
    if not believable:
        return Verdict(
            Outcome.REJECTED, guard="range", detail="; ".join(impossible), severity="warning",
            says=told,
        )  # fmt: skip
    verdict = _weigh(camps(believable), now)
    verdict.says = told
    if impossible and not verdict.detail:
        verdict.detail = "; ".join(impossible)
    return verdict


def _weigh(found: list[Camp], now: PriceVersion | None) -> Verdict:
    best, others = found[0], found[1:]
    offer, disputed = merged(best)
    sources = tuple(vote.source for vote in best.votes)
    same = now is not None and against(now, offer).same
    if len(best.families) > 1 and not (others and len(others[0].families) >= len(best.families)):
        return _agreed(best, offer, disputed, others, now)
    if others:
        if now is not None and _stands(now, found):
            return Verdict(Outcome.CONFIRMED, detail="the sources disagree; what is in force stays")
        return Verdict(
            Outcome.QUARANTINED, offer, "disputed", _disagreement(found), "warning",
            sources=sources,
        )  # fmt: skip
    if same:
        return Verdict(Outcome.SINGLE)
    return _lone(offer, sources, now)


def _agreed(
    best: Camp, offer: Offer, disputed: list[str], others: list[Camp], now: PriceVersion | None
) -> Verdict:
    """Two families or more say it: apply it, if the move is believable."""
    sources = tuple(vote.source for vote in best.votes)
    state = "agreed: " + ", ".join(sources)
    note = f"not agreed, left out: {', '.join(disputed)}" if disputed else ""
    if now is None:
        if offer.free or guards.suspect(offer) is None:
            return Verdict(Outcome.APPLIED, offer, state=state, detail=note, sources=sources)
        why = guards.suspect(offer) or ""
        return Verdict(Outcome.QUARANTINED, offer, "ratio", why, "warning", sources=sources)
    move = against(now, offer)
    if move.same:
        return Verdict(Outcome.CONFIRMED, detail=note)
    stop = guards.moved(move, dissent=fresher(best, others))
    stale = old_news(best, others, now)
    if stop is None and stale is not None:
        detail = f"{move.told}: {stale}"
        return Verdict(Outcome.QUARANTINED, offer, "stale", detail, "warning", sources=sources)
    if stop is None:
        return Verdict(Outcome.APPLIED, offer, detail=move.told, state=state, sources=sources)
    return Verdict(
        Outcome.QUARANTINED, offer, stop, move.told, guards.severity(move), sources=sources
    )


def _lone(offer: Offer, sources: tuple[str, ...], now: PriceVersion | None) -> Verdict:
    """One family alone: good enough for a model without a price, never for a change."""
    if now is not None:
        move = against(now, offer)
        return Verdict(
            Outcome.QUARANTINED, offer, "single-source", move.told, guards.severity(move),
            sources=sources,
        )  # fmt: skip
    if offer.free:
        why: str | None = "0 according to one source only"
        guard = "zero"
    else:
        why, guard = guards.suspect(offer), "ratio"
    if why is not None:
        return Verdict(Outcome.QUARANTINED, offer, guard, why, "warning", sources=sources)
    return Verdict(Outcome.SINGLE, offer, state="single: " + ", ".join(sources), sources=sources)


def fresher(best: Camp, others: Iterable[Camp]) -> bool:
    """Whether somebody who disagrees changed their price after those who agree changed theirs."""
    since_ms = min(vote.since_ms for vote in best.votes)
    return any(vote.since_ms > since_ms for camp in others for vote in camp.votes)


def old_news(best: Camp, others: Iterable[Camp], now: PriceVersion) -> str | None:
    """Why a majority may be stale: who still says what is in force, while few changed since.

    Two sources that never said anything else have no news, however many they are.
    """
    core = core_of(as_offer(now))
    loyal = [vote.source for camp in others if camp.core == core for vote in camp.votes]
    changed = {vote.family for vote in best.votes if vote.since_ms}
    if not loyal or len(changed) > 1:
        return None
    return f"{', '.join(loyal)} still says what is in force, and {len(changed)} changed since"


def _stands(now: PriceVersion, found: list[Camp]) -> bool:
    """Whether one of the camps says what is in force."""
    core = core_of(as_offer(now))
    return any(camp.core == core for camp in found)


def as_offer(version: PriceVersion) -> Offer:
    return Offer(
        provider=version.provider,
        model=version.model,
        rates=dict(version.rates),
        unit_rates=dict(version.unit_rates),
        long_context=version.long_context,
        modes=dict(version.modes),
        regions=dict(version.regions),
        hours=version.hours,
        max_output_tokens=version.max_output_tokens,
        chat=version.chat,
        peak=version.estimated,
    )


def _disagreement(found: list[Camp]) -> str:
    return "; ".join(
        f"{', '.join(vote.source for vote in camp.votes)}: "
        + ", ".join(f"{kind} {_digits(rate)}" for kind, rate in camp.core)
        for camp in found
    )


def _digits(rate: Decimal) -> str:
    return format(rate, "f")
