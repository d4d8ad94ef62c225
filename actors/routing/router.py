"""The candidates of a call, ready to be weighed: found, checked, priced and put in order."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from actors.ledger.estimate import Estimate, Price, find_price, of_model, usage_of
from actors.policy.match import Matcher
from actors.routing import fit
from actors.routing.listing import Listed, Listings
from actors.routing.rank import Standing, ranked
from protocols.errors import BudgetError
from protocols.policy.charge import Subject
from protocols.prices import PriceBook
from protocols.prices.names import model_name
from protocols.routing.abilities import Abilities, AbilityTable
from protocols.routing.rule import SHIPPED, RouteRule
from protocols.routing.words import Order
from protocols.tiers import TierTable, tier_of
from protocols.token_estimate import Counting
from protocols.wanted import Job


@dataclass(frozen=True, slots=True)
class Errand:
    """A job, the model asked for, and what the caller would change of the route."""

    job: Job
    provider: str | None = None
    model: str | None = None
    candidates: tuple[str, ...] | None = None
    max_usd: int | None = None
    order: Order | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What candidates are looked up in: prices, tiers, a way to count tokens, the time."""

    book: PriceBook
    tiers: TierTable
    count: Counting | None
    now_ms: int


@dataclass(slots=True)
class Candidate:
    """One model; without an estimate it was refused before it was priced."""

    provider: str
    model: str
    tier: str
    abilities: Abilities
    asked: bool
    estimate: Estimate | None
    barred: fit.Bar | None
    local: bool = False
    listed: int = 0
    """The place of the pattern that names it."""


@dataclass(slots=True)
class Plan:
    """The candidates in the order to try them, those that cannot do it last."""

    route: str
    candidates: list[Candidate]


def for_downgrade(plan: Plan) -> Plan:
    """The call as asked goes first, whatever is known of its model: it was refused for a limit."""
    asked = [replace(one, barred=None) for one in plan.candidates if one.asked and one.estimate]
    return Plan(plan.route, [*asked, *(one for one in plan.candidates if not one.asked)])


class Router:
    """Knows the routes of the house and what models can do."""

    def __init__(self, abilities: AbilityTable, rules: Iterable[RouteRule] = ()) -> None:
        self.abilities = abilities
        self.rules = [(Matcher(rule.match), rule) for rule in (*rules, *SHIPPED)]
        self._listings = Listings()

    def plan(self, errand: Errand, world: World) -> Plan:
        """Raises `Unpriced` if several sell the model asked for and none is named."""
        counter = world.count and errand.job.input_text is not None and world.count()
        if counter:  # the text is one, the candidates are many
            counted = lru_cache(8)(counter)
            world = replace(world, count=lambda: counted)
        price = None
        if errand.model is not None:
            price = find_price(world.book, errand.provider, errand.model)
        rule = self.rule_for(errand, world, price)
        desk = _Desk(self.abilities, errand, rule, world)
        found = [] if price is None else [desk.asked(price)]
        asked = next(iter(found), None)
        taken = {(one.provider, model_name(one.model)) for one in found}
        for listed, local in self._listed(errand, rule, world.book):
            if (listed.provider, model_name(listed.model)) not in taken:
                found.append(desk.candidate(listed, local=local))
        return Plan(rule.name, in_order(found, asked, errand.order or rule.order))

    def rule_for(self, errand: Errand, world: World, price: Price | None) -> RouteRule:
        """The first rule that fits the call as it was asked; the last one fits all."""
        job = errand.job
        provider = "" if price is None else price[0]
        model = errand.model or ""
        tier = "" if price is None else tier_of(job.component, provider, model, world.tiers)
        subject = Subject(
            job.component, provider, model, tier, job.task_type, job.context_id,
            tuple(sorted(job.tags.items())),
        )  # fmt: skip
        return next(rule for matches, rule in self.rules if matches(subject))

    def _listed(
        self, errand: Errand, rule: RouteRule, book: PriceBook
    ) -> Iterable[tuple[Listed, bool]]:
        if errand.candidates is not None:
            return ((one, False) for one in self._listings.of(book, errand.candidates))
        usual = [(one, False) for one in self._listings.of(book, rule.candidates)]
        return [*usual, *((one, True) for one in self._listings.of(book, rule.local))]


@dataclass(slots=True)
class _Desk:
    """Makes candidates of what was asked for and of what is listed."""

    abilities: AbilityTable
    errand: Errand
    rule: RouteRule
    world: World
    like_usd: int | None = None
    """What the model asked for would hold, if it can do the job: nothing dearer takes its place."""
    chat: bool = True
    """Whether chat models can take the place of the one asked for."""

    def asked(self, price: Price) -> Candidate:
        assert self.errand.model is not None
        found = self._candidate(price, self.errand.model, asked=True)
        self.chat = price[1].chat
        if found.barred is None and found.estimate is not None:
            self.like_usd = found.estimate.amounts.usd
        return found

    def candidate(self, listed: Listed, *, local: bool) -> Candidate:
        book = self.world.book
        version, priced = listed.version, listed.version is not None
        price = listed.provider, version or book.dearest(listed.provider), priced
        found = self._candidate(price, listed.model)
        found.listed, found.local = listed.place, local
        return found

    def _candidate(self, price: Price, model: str, *, asked: bool = False) -> Candidate:
        provider, version, priced = price
        job, world = self.errand.job, self.world
        tier = tier_of(job.component, provider, model, world.tiers)
        can = self.abilities.of(provider, model)
        usage = usage_of(job, model, price, world.count)
        demand = fit.Demand(
            usage.counts.get("input", 0), usage.counts.get("output", 0),
            frozenset(job.needs) | frozenset(self.rule.needs), frozenset(self.rule.tiers),
            datetime.fromtimestamp(world.now_ms / 1000, UTC).date(),
        )  # fmt: skip
        offer = fit.Offer(can, tier, priced, version.chat and self.chat)
        barred, estimate = fit.bar(demand, offer, asked=asked), None
        if barred is None or asked:
            try:
                estimate = of_model(world.tiers, job, model, price, usage)
            except BudgetError as error:
                barred = barred or ("unpriced", error.detail)
        if barred is None and estimate is not None:
            barred = fit.too_dear(estimate.amounts.usd, self._max_usd(), self.like_usd)
        return Candidate(provider, model, tier, can, asked, estimate, barred)

    def _max_usd(self) -> int | None:
        caps = [cap for cap in (self.errand.max_usd, self.rule.max_usd) if cap is not None]
        return min(caps, default=None)


def in_order(found: list[Candidate], asked: Candidate | None, order: Order) -> list[Candidate]:
    """Those that can do it as the order says; then the others as they were listed."""
    able = [one for one in found if one.barred is None]
    standings = [_standing(one) for one in able]
    like = _standing(asked) if asked is not None and asked.barred is None else None
    return [
        *(able[place] for place in ranked(standings, order, like)),
        *(one for one in found if one.barred is not None),
    ]


def _standing(one: Candidate) -> Standing:
    assert one.estimate is not None
    usd = one.estimate.amounts.usd
    return Standing(one.provider, one.model, usd, one.listed, one.asked, one.local)
