"""Can this model do the job? Plain functions; the budget plays no part here.

What was asked for by name is taken at the caller's word where nothing is known of it; anything
else must be known to fit. A reason is found for hundreds of models, its sentence made for those
that are shown.
"""

from dataclasses import dataclass
from datetime import date

from protocols.money import show_usd
from protocols.policy.choice import Option
from protocols.routing.abilities import Abilities
from protocols.routing.offer import Load, Offer
from protocols.routing.words import Reason


@dataclass(slots=True)
class Demand:
    """What the model must be capable of, and the most it may hold, whatever it is."""

    needs: frozenset[str]
    tiers: frozenset[str]
    max_usd: int | None = None
    like_usd: int | None = None
    """What the model asked for would hold, if it can do the job: nothing dearer takes its place."""


@dataclass(slots=True)
class Barred:
    """A model that cannot do it. Without a load it is out of the question for any call."""

    offer: Offer
    reason: Reason
    load: Load | None = None
    option: Option | None = None
    """There if it was priced."""
    detail: str = ""
    """The sentence, if it was found with the reason."""


def never(offer: Offer, tiers: frozenset[str], today: date) -> Reason | None:
    """What stands in the way of a model that nobody asked for, whatever the call."""
    retires = offer.can.retires
    if not offer.priced:
        return "unpriced"
    if not offer.version.chat:
        return "not_chat"
    if retires is not None and retires <= today:
        return "retired"
    if tiers and offer.kind[2] not in tiers:
        return "tier"
    return "window_unknown" if offer.can.window is None else None


def unable(
    load: Load, needs: frozenset[str], can: Abilities, *, asked: bool = False
) -> Reason | None:
    """Whether the call is too long for it, or it is not known for something that is needed."""
    if can.window is None:
        if not asked:
            return "window_unknown"
    elif (load.read if asked else load.read + load.write) > can.window:
        return "window"
    elif can.output_max is not None and load.write > can.output_max:
        return "output"
    if not needs or (can.can is None and asked):
        return None
    if can.can is None:
        return "abilities_unknown"
    return None if needs <= can.can else "lacks"


def too_dear(usd: int, demand: Demand) -> Reason | None:
    """Dearer than it may be, or than the model whose place it would take."""
    if demand.max_usd is not None and usd > demand.max_usd:
        return "max_usd"
    return "dearer" if demand.like_usd is not None and usd > demand.like_usd else None


def sentence(barred: Barred, demand: Demand, *, asked: bool) -> str:
    """The reason as people read it, with its figures."""
    if barred.load is None:
        return _of_any_call(barred, demand)
    can, load = barred.offer.can, barred.load
    match barred.reason:
        case "window":
            needed = load.read if asked else load.read + load.write
            return f"reads {can.window:,} tokens, the call needs {needed:,}"
        case "output":
            return f"writes {can.output_max:,} tokens, the call wants {load.write:,}"
        case "lacks":
            return f"is not known for {', '.join(sorted(demand.needs - (can.can or frozenset())))}"
        case _ if barred.option is not None:
            return _too_dear(barred.option.usd, barred.reason, demand)
        case reason:
            return barred.detail or PLAIN[reason]


def _of_any_call(barred: Barred, demand: Demand) -> str:
    offer = barred.offer
    match barred.reason:
        case "tier":
            return f"is {offer.kind[2]}, not {' or '.join(sorted(demand.tiers))}"
        case "retired":
            return f"not sold since {offer.can.retires}"
        case reason:
            return PLAIN[reason]


def _too_dear(usd: int, reason: Reason, demand: Demand) -> str:
    if reason == "max_usd" and demand.max_usd is not None:
        return f"{show_usd(usd)} USD is more than the {show_usd(demand.max_usd)} allowed"
    return f"{show_usd(usd)} USD is more than the model asked for would hold"


PLAIN: dict[Reason, str] = {
    "unpriced": "no trusted price",
    "not_chat": "not a chat model",
    "window_unknown": "nobody says how much it reads",
    "abilities_unknown": "nobody says what it can do",
}
