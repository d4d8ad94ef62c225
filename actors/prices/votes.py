"""Votes: what the sources say of one model, brought together where they say the same.

Sources that copy each other are one family and have one vote.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from protocols.prices.offer import Offer
from protocols.prices.version import LongContext, Rates, Tariff

Core = tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Vote:
    """What one source says now, and since when."""

    source: str
    family: str
    offer: Offer
    since_ms: int = 0
    """When we saw it change to this; 0: it said so when we first looked."""


@dataclass(slots=True)
class Camp:
    """The votes that agree on the core of a price: what is read and what is written."""

    core: Core
    votes: list[Vote] = field(default_factory=list)

    @property
    def families(self) -> set[str]:
        return {vote.family for vote in self.votes}


def core_of(offer: Offer) -> Core:
    """Input and output at their dearest hour; per-piece rates where a model has neither."""
    tables = [offer.rates, *(hours.tariff.rates for hours in offer.hours)]
    core = [
        (kind, max(table[kind] for table in tables if kind in table))
        for kind in ("input", "output")
        if any(kind in table for table in tables)
    ]
    return tuple(core) or tuple(sorted(offer.unit_rates.items()))


def camps(votes: Iterable[Vote]) -> list[Camp]:
    """The camps, the one with the most families first."""
    found: dict[Core, Camp] = {}
    for vote in votes:
        core = core_of(vote.offer)
        found.setdefault(core, Camp(core)).votes.append(vote)
    return sorted(found.values(), key=lambda camp: (-len(camp.families), camp.votes[0].source))


def merged(camp: Camp) -> tuple[Offer, list[str]]:
    """One offer out of a camp, and the parts on which its members disagree: those are left out.

    A price that changes with the hour is taken whole from one member: its parts belong together.
    """
    first = next((vote.offer for vote in camp.votes if vote.offer.hours), camp.votes[0].offer)
    if first.hours:
        return first, []
    disputed: list[str] = []
    offers = [vote.offer for vote in camp.votes]
    families = [vote.family for vote in camp.votes]
    modes: dict[str, Tariff] = {}
    for mode in sorted({name for offer in offers for name in offer.modes}):
        told = [
            (f, o.modes[mode]) for f, o in zip(families, offers, strict=True) if mode in o.modes
        ]
        tariff = _tariff(told, f"{mode} ", disputed)
        if tariff.rates:
            modes[mode] = tariff
    standard = _tariff(
        [(f, Tariff(o.rates, o.long_context)) for f, o in zip(families, offers, strict=True)],
        "", disputed,
    )  # fmt: skip
    units: list[tuple[str, Rates]] = [(v.family, v.offer.unit_rates) for v in camp.votes]
    regions: list[tuple[str, Rates]] = [(v.family, v.offer.regions) for v in camp.votes]
    offer = Offer(
        provider=first.provider,
        model=first.model,
        rates=dict(standard.rates),
        unit_rates=_agreed(units, "", disputed),
        long_context=standard.long_context,
        modes=modes,
        regions=_agreed(regions, "region ", disputed),
        max_output_tokens=next((o.max_output_tokens for o in offers if o.max_output_tokens), None),
        chat=any(o.chat for o in offers),
        peak=any(o.peak for o in offers),
    )
    return offer, disputed


def _tariff(told: list[tuple[str, Tariff]], where: str, disputed: list[str]) -> Tariff:
    rates = _agreed([(family, tariff.rates) for family, tariff in told], where, disputed)
    tiers = [(f, t.long_context) for f, t in told if t.long_context is not None]
    return Tariff(rates, _long(tiers, f"{where}long ", disputed))


def _long(
    told: list[tuple[str, LongContext]], where: str, disputed: list[str]
) -> LongContext | None:
    """The next tier, if those who name one start it at the same place."""
    if not told:
        return None
    first = told[0][1]
    if any(_starts(tier) != _starts(first) for _, tier in told):
        disputed.append(f"{where}threshold")
        return max((tier for _, tier in told), key=lambda tier: -_starts(tier))
    rates = _agreed([(family, tier.rates) for family, tier in told], where, disputed)
    further = [(f, tier.beyond) for f, tier in told if tier.beyond is not None]
    beyond = _long(further, f"{where}longer ", disputed)
    return LongContext(first.threshold, rates, first.inclusive, beyond)


def _starts(tier: LongContext) -> int:
    return tier.threshold + (not tier.inclusive)


def _agreed(told: list[tuple[str, Rates]], where: str, disputed: list[str]) -> dict[str, Decimal]:
    """Each kind at the rate that everybody who names it names, or that most families name."""
    agreed: dict[str, Decimal] = {}
    for kind in sorted({kind for _, rates in told for kind in rates}):
        backing: dict[Decimal, set[str]] = {}
        for family, rates in told:
            if kind in rates:
                backing.setdefault(rates[kind], set()).add(family)
        ranked = sorted(backing.items(), key=lambda item: -len(item[1]))
        if len(ranked) == 1 or len(ranked[0][1]) > max(len(ranked[1][1]), 1):
            agreed[kind] = ranked[0][0]
        else:
            disputed.append(f"{where}{kind}")
    return agreed


def says(votes: Iterable[Vote]) -> dict[str, dict[str, str]]:
    """Who says what, as text: source → kind → USD per million."""
    return {vote.source: told(vote.offer) for vote in votes}


def told(offer: Offer) -> dict[str, str]:
    """The standard rates and the fees of an offer, as text."""
    rates: Mapping[str, Decimal] = {**offer.rates, **offer.unit_rates}
    return {kind: format(rate, "f") for kind, rate in sorted(rates.items())}
