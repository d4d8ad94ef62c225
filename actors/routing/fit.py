"""Can this model do the job? Plain functions; the budget plays no part here.

What was asked for by name is taken at the caller's word where nothing is known of it; anything
else must be known to fit.
"""

from dataclasses import dataclass
from datetime import date

from protocols.money import show_usd
from protocols.routing.abilities import Abilities
from protocols.routing.words import Reason

Bar = tuple[Reason, str]
"""Why not, and the sentence for it."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What the model must take: tokens, capabilities, tiers, and on which day."""

    input_tokens: int
    output_tokens: int
    needs: frozenset[str]
    tiers: frozenset[str]
    today: date


@dataclass(frozen=True, slots=True)
class Offer:
    """One model on offer for the demand."""

    can: Abilities
    tier: str
    priced: bool
    chat: bool


def bar(demand: Demand, offer: Offer, *, asked: bool) -> Bar | None:
    """The first thing that stands in the way."""
    return (
        (None if asked else _not_on_offer(demand, offer))
        or _too_small(demand, offer.can, asked=asked)
        or _lacks(demand, offer.can, asked=asked)
    )


def too_dear(usd: int, max_usd: int | None, like_usd: int | None) -> Bar | None:
    """Dearer than it may be, or than the model whose place it would take."""
    if max_usd is not None and usd > max_usd:
        return "max_usd", f"{show_usd(usd)} USD is more than the {show_usd(max_usd)} allowed"
    if like_usd is not None and usd > like_usd:
        return "dearer", f"{show_usd(usd)} USD is more than the model asked for would hold"
    return None


def _not_on_offer(demand: Demand, offer: Offer) -> Bar | None:
    retires = offer.can.retires
    if not offer.priced:
        return "unpriced", "no trusted price"
    if not offer.chat:
        return "not_chat", "not a chat model"
    if retires is not None and retires <= demand.today:
        return "retired", f"not sold since {retires}"
    if demand.tiers and offer.tier not in demand.tiers:
        return "tier", f"is {offer.tier}, not {' or '.join(sorted(demand.tiers))}"
    return None


def _too_small(demand: Demand, can: Abilities, *, asked: bool) -> Bar | None:
    if can.window is None:
        return None if asked else ("window_unknown", "nobody says how much it reads")
    needed = demand.input_tokens if asked else demand.input_tokens + demand.output_tokens
    if needed > can.window:
        return "window", f"reads {can.window:,} tokens, the call needs {needed:,}"
    if can.output_max is not None and demand.output_tokens > can.output_max:
        return (
            "output",
            f"writes {can.output_max:,} tokens, the call wants {demand.output_tokens:,}",
        )
    return None


def _lacks(demand: Demand, can: Abilities, *, asked: bool) -> Bar | None:
    if not demand.needs:
        return None
    if can.can is None:
        return None if asked else ("abilities_unknown", "nobody says what it can do")
    missing = sorted(demand.needs - can.can)
    return ("lacks", f"is not known for {', '.join(missing)}") if missing else None
