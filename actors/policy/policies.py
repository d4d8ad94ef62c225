"""Policies, budgets and balances: what people change and look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from actors.policy import decide
from actors.policy.counter import Counter, Meter
from actors.policy.match import glob
from actors.policy.pace import pace
from actors.policy.rule import Rule, same_counting
from actors.policy.world import World
from protocols.debug import log_function
from protocols.errors import InUse, Invalid, NotFound
from protocols.journal import Draft
from protocols.period import rfc3339
from protocols.policy.charge import AXES
from protocols.policy.messages import (
    Balance,
    Balances,
    Budget,
    BudgetRemoved,
    Budgets,
    ListBudgets,
    ListPolicies,
    Policies,
    PolicyRemoved,
    PolicyShown,
    RemoveBudget,
    RemovePolicy,
    SetBudget,
    SetPolicy,
    ShowBalances,
    ShowPolicy,
)
from protocols.policy.policy import Policy
from protocols.reports import ListPaces, Pace, Paces
from protocols.tiers import TIERS


@dataclass(slots=True)
class Seed:
    """A part of `budget.toml` whose text is new or changed since it was last applied."""

    what: Policy | SetBudget
    digest: str


@dataclass(slots=True)
class Sweep:
    """The timer: expire and forget what is due. Told once a second."""


@dataclass(slots=True)
class Change:
    """What to write down, and what to answer once it is written."""

    drafts: list[Draft]
    reply: Any
    stamp: bool = False


Changes = SetPolicy | RemovePolicy | SetBudget | RemoveBudget | Seed
Looks = ShowPolicy | ListPolicies | ListBudgets | ShowBalances | ListPaces


@log_function()
def change(world: World, ask: Changes, by: str) -> Change:
    match ask:
        case SetPolicy():
            fields = {name: getattr(ask, name) for name in Policy.model_fields}
            return set_policy(world, Policy.model_construct(**fields), by, ask.why)
        case Seed():
            return plant(world, ask)
        case RemovePolicy():
            return remove_policy(world, ask, by)
        case SetBudget():
            return set_budget(world, ask, by)
        case RemoveBudget():
            return remove_budget(world, ask, by)


def plant(world: World, seed: Seed) -> Change:
    if isinstance(seed.what, SetBudget):
        return set_budget(world, seed.what, "budget.toml", seed.digest)
    return set_policy(world, seed.what, "budget.toml", None, seed.digest)


def set_policy(
    world: World, policy: Policy, by: str, why: str | None, seed: str | None = None
) -> Change:
    """A new rule, or a new revision; its counters go on if they still mean the same."""
    check_can_match(policy)
    before = world.rules.rules.get(policy.name)
    revision = 1 if before is None else before.revision + 1
    keeps = before is not None and same_counting(before.policy, policy)
    counting = before.counting if before is not None and keeps else world.number()
    rule = Rule(policy, revision, counting, by, world.time.now_ms())
    if before is not None and keeps:
        rule.meters = before.meters
    world.rules.put(rule)
    body: dict[str, Any] = {
        "before": None if before is None else before.policy.model_dump(mode="json"),
        "after": policy.model_dump(mode="json"),
        "revision": revision, "counting": counting, "by": by, "at_ms": rule.at_ms, "why": why,
        "turn": world.turn(),
    }  # fmt: skip
    if seed is not None:
        body["seed"] = seed
    return Change([Draft("policy_set", "", policy.name, body)], shown(rule))


def check_can_match(policy: Policy) -> None:
    """A policy that can match nothing is a mistake. Raises `Invalid`."""
    tier = policy.match.tier
    if tier is not None and not any(glob(tier)(name) for name in TIERS):
        raise Invalid(
            f"match.tier {tier!r} fits none of {', '.join(TIERS)}",
            hint="name one of them, or a glob such as local_*",
            errors=[{"field": "match.tier", "problem": "matches nothing", "remedy": TIERS[0]}],
        )


def remove_policy(world: World, ask: RemovePolicy, by: str) -> Change:
    rule = find(world, ask.name)
    world.rules.remove(ask.name)
    body: dict[str, Any] = {
        "before": rule.policy.model_dump(mode="json"), "by": by, "why": ask.why,
        "turn": world.turn(),
    }  # fmt: skip
    draft = Draft("policy_removed", "", ask.name, body)
    return Change([draft], PolicyRemoved(ask.name), stamp=True)


def set_budget(world: World, ask: SetBudget, by: str, seed: str | None = None) -> Change:
    before = world.budgets.get(ask.name)
    after = {"owner": ask.owner, "note": ask.note}
    world.budgets[ask.name] = after
    body = {"before": before, "after": after, "by": by, "why": ask.why}
    if seed is not None:
        body["seed"] = seed
    return Change([Draft("budget_set", "", ask.name, body)], budget(world, ask.name))


def remove_budget(world: World, ask: RemoveBudget, by: str) -> Change:
    """A policy names its budget, so one with policies would be back at once. Raises `InUse`."""
    name = ask.budget_id
    policies = budget(world, name).policies
    if policies:
        told = f"budget {name} still has policies: {', '.join(policies)[:300]}"
        hint = "remove them, or put them into another budget, then remove it"
        raise InUse(told, hint=hint, policies=policies)
    if name not in world.budgets:
        known = ", ".join(budget_names(world)) or "none"
        raise NotFound(f"there is no budget {name!r}", hint=f"budgets: {known[:300]}")
    body = {"before": world.budgets.pop(name), "by": by, "why": ask.why}
    return Change([Draft("budget_removed", "", name, body)], BudgetRemoved(name), stamp=True)


def window_opened(rule: Rule, counter: Counter) -> Draft:
    body = {
        "window": counter.id, "policy": rule.name, "counting": rule.counting,
        "key": counter.key, "starts_ms": counter.window.starts_ms,
        "ends_ms": counter.window.ends_ms,
    }  # fmt: skip
    return Draft("window_opened", "", str(counter.id), body)


def show(world: World, ask: Looks) -> object:
    match ask:
        case ShowPolicy():
            return shown(find(world, ask.name))
        case ListPolicies():
            rules = [
                rule
                for rule in world.rules.rules.values()
                if ask.budget is None or rule.policy.budget == ask.budget
            ]
            page, cursor = cut(rules, ask.limit, ask.cursor, lambda rule: rule.name)
            return Policies([shown(rule) for rule in page], cursor)
        case ListBudgets():
            page, cursor = cut(budget_names(world), ask.limit, ask.cursor, str)
            return Budgets([budget(world, name) for name in page], cursor)
        case ShowBalances():
            page, cursor = cut(balances(world, ask), ask.limit, ask.cursor, place)
            return Balances(page, cursor)
        case ListPaces():
            page, cursor = cut(paces(world, ask), ask.limit, ask.cursor, place)
            return Paces(page, cursor)


def find(world: World, name: str) -> Rule:
    rule = world.rules.rules.get(name)
    if rule is None:
        known = ", ".join(world.rules.rules) or "none"
        raise NotFound(f"there is no policy {name!r}", hint=f"policies: {known[:300]}")
    return rule


def shown(rule: Rule) -> PolicyShown:
    return PolicyShown(rule.policy, rule.revision, rule.by, rfc3339(rule.at_ms))


def budget_names(world: World) -> list[str]:
    named = {rule.policy.budget for rule in world.rules.rules.values()}
    return sorted(named | set(world.budgets))


def budget(world: World, name: str) -> Budget:
    facts = world.budgets.get(name, {})
    policies = [rule.name for rule in world.rules.rules.values() if rule.policy.budget == name]
    return Budget(name, facts.get("owner"), facts.get("note"), policies, budget_id=name)


def balances(world: World, ask: ShowBalances) -> list[Balance]:
    rows = []
    for rule, meter, axis in open_axes(world, ask):
        at = decide.standing(rule, meter, axis)
        rows.append(
            Balance(
                at.policy,
                meter.key or None,
                at.axis,
                at.limit,
                at.used,
                at.held,
                at.left,
                at.window,
            )
        )
    return sorted(rows, key=place)


def paces(world: World, ask: ListPaces) -> list[Pace]:
    now_ms = world.time.now_ms()
    rows = [
        pace(rule, meter, axis, now_ms)
        for rule, meter, axis in open_axes(world, ask)
        if ask.budget in (None, rule.policy.budget)
    ]
    return sorted(rows, key=place)


def open_axes(world: World, ask: ShowBalances | ListPaces) -> Iterator[tuple[Rule, Meter, int]]:
    """Each limit of each counter that is open now, of the policy and component asked for."""
    now_ms = world.time.now_ms()
    for rule in world.rules.rules.values():
        if ask.policy not in (None, rule.name) or not may_concern(rule, ask.component):
            continue
        for meter in rule.open_meters(now_ms):
            if (
                ask.component is not None
                and rule.policy.each == "component"
                and (meter.key.split(" ")[0] != ask.component)
            ):
                continue
            for axis in rule.axes:
                yield rule, meter, axis


def may_concern(rule: Rule, component: str | None) -> bool:
    pattern = rule.policy.match.component
    return component is None or pattern is None or bool(glob(pattern)(component))


def place(row: Balance | Pace) -> str:
    return f"{row.policy} {row.key or ''} {AXES.index(row.axis)}"


def cut(rows: Any, limit: int, cursor: str | None, key: Any) -> tuple[list[Any], str | None]:
    """One page of sorted rows, after the cursor, and the cursor of the next."""
    after = [row for row in rows if cursor is None or key(row) > cursor]
    page = after[:limit]
    return page, key(page[-1]) if len(after) > limit else None
