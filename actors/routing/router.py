"""The candidates of a call, ready to be weighed: found, checked, priced and put in order."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from actors.ledger.estimate import Price, cost_of_call, find_price
from actors.policy.match import Matcher
from actors.routing import fit
from actors.routing.loads import Loads
from actors.routing.memo import Memo
from actors.routing.rank import ranked
from actors.routing.shelf import Shelved, Shelves, Wish
from protocols.errors import BudgetError
from protocols.policy.charge import Subject
from protocols.policy.choice import Option
from protocols.prices import PriceBook
from protocols.routing.abilities import AbilityTable
from protocols.routing.offer import Load, Offer
from protocols.routing.rule import SHIPPED, RouteRule
from protocols.routing.words import Order
from protocols.tiers import TierTable, tier_of
from protocols.token_estimate import Counting
from protocols.wanted import Job

PLANS_MAX = 32


@dataclass(frozen=True, slots=True)
class Errand:
    """A job, the model asked for, and what the caller would change of the route."""

    job: Job
    provider: str | None = None
    model: str | None = None
    candidates: tuple[str, ...] | None = None
    max_usd: int | None = None
    order: Order | None = None
    shown: int = 50
    """How many candidates are to be shown."""


@dataclass(frozen=True, slots=True)
class World:
    """What candidates are looked up in: prices, tiers, a way to count tokens, the time."""

    book: PriceBook
    tiers: TierTable
    count: Counting | None
    now_ms: int


@dataclass(slots=True)
class Plan:
    """Those that can do it in the order to try them, and those that cannot as they are listed."""

    route: str
    demand: fit.Demand
    asked: Offer | None
    options: list[Option] = field(default_factory=list)
    barred: list[fit.Barred] = field(default_factory=list)

    def for_downgrade(self) -> list[Option]:
        """The call as asked goes first, whatever is known of its model: it was refused for a
        limit.
        """
        able = [one for one in self.options if one.asked]
        barred = [one.option for one in self.barred if one.offer is self.asked and one.option]
        return [*able, *barred, *(one for one in self.options if not one.asked)]


class Router:
    """Knows the routes of the house and what models can do."""

    def __init__(self, abilities: AbilityTable, rules: Iterable[RouteRule] = ()) -> None:
        self.abilities = abilities
        self._own = tuple(rules)
        self.rules = [(Matcher(rule.match), rule) for rule in (*self._own, *SHIPPED)]
        self._shelves = Shelves(abilities)
        self._plans: Memo[tuple[object, ...], Plan] = Memo(PLANS_MAX)
        """Calls that are repeated, as those are that are refused, find their plan ready."""

    def twin(self) -> "Router":
        """The same routes with a memory of its own, for another thread and other prices."""
        return Router(self.abilities, self._own)

    def plan(self, errand: Errand, world: World) -> Plan:
        """Raises `Unpriced` if several sell the model asked for and none is named."""
        price = None
        if errand.model is not None:
            price = find_price(world.book, errand.provider, errand.model)
        rule = self.rule_for(errand, world, price)
        wish = self._wish(errand, rule, world)
        make = partial(self._planned, errand, world, rule, price, wish)
        job = errand.job
        if job.input_tokens is None and job.input_text is not None:
            return make()
        shape = (
            wish, id(rule), errand.provider, errand.model, errand.max_usd, errand.order,
            job.task_type, job.priority, job.input_tokens, job.max_output_tokens, job.needs,
        )  # fmt: skip
        return self._plans.of(shape, world.book, world.tiers, make)

    def _wish(self, errand: Errand, rule: RouteRule, world: World) -> Wish:
        own = errand.candidates
        patterns = (rule.candidates, rule.local) if own is None else (own, ())
        of_component = world.tiers.of_component(errand.job.component)
        today = datetime.fromtimestamp(world.now_ms / 1000, UTC).date()
        return Wish(*patterns, frozenset(rule.tiers), of_component, today)

    def _planned(
        self, errand: Errand, world: World, rule: RouteRule, price: Price | None, wish: Wish
    ) -> Plan:
        asked = None if price is None else self._asked(errand, world, price)
        desk = _Desk(errand, rule, world, asked)
        if asked is not None:
            desk.look_at_asked(asked)
        desk.look_at(self._shelves.of(wish, world.book, world.tiers))
        return desk.planned(errand.order or rule.order)

    def _asked(self, errand: Errand, world: World, price: Price) -> Offer:
        provider, version, priced = price
        model = errand.model or ""
        tier = tier_of(errand.job.component, provider, model, world.tiers)
        can = self.abilities.of(provider, model)
        return Offer((provider, model, tier), version, can, priced=priced)

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


class _Desk:
    """Sorts what was asked for and what is on the shelf into a plan."""

    def __init__(self, errand: Errand, rule: RouteRule, world: World, asked: Offer | None) -> None:
        job = errand.job
        caps = [cap for cap in (errand.max_usd, rule.max_usd) if cap is not None]
        needs = frozenset(job.needs) | frozenset(rule.needs)
        demand = fit.Demand(needs, frozenset(rule.tiers), min(caps, default=None))
        self._plan = Plan(rule.name, demand, asked)
        self._loads = Loads(job, world.count)

    def look_at_asked(self, offer: Offer) -> None:
        """It is priced even if it cannot do the job: it may be held all the same."""
        demand = self._plan.demand
        load = self._loads.of(offer)
        reason = fit.unable(load, demand.needs, offer.can, asked=True)
        option, detail = None, ""
        try:
            option = Option(offer, load, usd_of(offer, load), asked=True)
        except BudgetError as error:
            if reason is None:
                reason, detail = "unpriced", error.detail
        if reason is None and option is not None:
            reason = fit.too_dear(option.usd, demand)
        if reason is not None:
            self._plan.barred.append(fit.Barred(offer, reason, load, option, detail))
        elif option is not None:
            self._plan.options.append(option)
            demand.like_usd = option.usd

    def look_at(self, shelf: Iterable[Shelved]) -> None:
        asked, demand = self._plan.asked, self._plan.demand
        name = None if asked is None else asked.name
        chat = asked is None or asked.version.chat
        barred, options, load_of = self._plan.barred, self._plan.options, self._loads.of
        for offer, never in shelf:
            if offer.name == name:
                continue
            if never is not None and (chat or not offer.priced):
                barred.append(never)
                continue
            if not chat:  # a chat model does not take the place of one that is none
                barred.append(fit.Barred(offer, "not_chat"))
                continue
            load = load_of(offer)
            reason = fit.unable(load, demand.needs, offer.can)
            if reason is not None:
                barred.append(fit.Barred(offer, reason, load))
                continue
            usd = offer.plain_usd(load)
            if usd is None:
                usd = self._long_way(offer, load)
                if usd is None:
                    continue
            reason = fit.too_dear(usd, demand)
            option = Option(offer, load, usd)
            if reason is None:
                options.append(option)
            else:
                barred.append(fit.Barred(offer, reason, load, option))

    def _long_way(self, offer: Offer, load: Load) -> int | None:
        try:
            return cost_of_call(load.usage, offer.version)
        except BudgetError as error:
            self._plan.barred.append(fit.Barred(offer, "unpriced", load, None, error.detail))
            return None

    def planned(self, order: Order) -> Plan:
        plan = self._plan
        like = next((one for one in plan.options if one.asked), None)
        plan.options = ranked(plan.options, order, like)
        return plan


def usd_of(offer: Offer, load: Load) -> int:
    """What the call would hold. Raises `Unpriced` or, beyond all sense, `Invalid`."""
    usd = offer.plain_usd(load)
    return cost_of_call(load.usage, offer.version) if usd is None else usd
