"""Budgets in Tekton's words. Its id of one is our name of it."""

from typing import Annotated, Any

from pydantic import Field

from protocols.errors import Malformed, NotFound
from protocols.names import PolicyName
from protocols.policy.messages import Balance, Budget, PolicyShown
from protocols.tekton import policies
from protocols.tekton.speaker import Speaker
from protocols.tekton.spoken import Always, NoMetadata, Paged, Spoken, number, page

SPANS = {"daily": "today", "weekly": "this_week", "monthly": "this_month"}
"""What is reported where no policy counts in that period."""
PERIODS = ("hourly", *SPANS, "per_session", "per_task")


class CreateBudget(Spoken):
    name: PolicyName
    description: Annotated[str, Field(max_length=500)] | None = None
    owner: Annotated[str, Field(max_length=200)] | None = None
    metadata: NoMetadata = {}


class UpdateBudget(Spoken):
    budget_id: PolicyName
    description: Annotated[str, Field(max_length=500)] | None = None
    owner: Annotated[str, Field(max_length=200)] | None = None
    is_active: Always = True
    metadata: NoMetadata = {}


class ShowBudget(Spoken):
    budget_id: PolicyName


class ListBudgets(Paged):
    is_active: Always = True
    owner: str | None = None


class ListBudgetPolicies(Paged):
    budget_id: PolicyName


class Summarise(Spoken):
    budget_id: PolicyName
    period: str = "daily"


async def create(speaker: Speaker, asked: CreateBudget) -> object:
    told = {"name": asked.name, "note": asked.description, "owner": asked.owner}
    return shown(await speaker.ask("set_budget", **told))


async def update(speaker: Speaker, asked: UpdateBudget) -> object:
    before = await find(speaker, asked.budget_id)
    note = before.note if asked.description is None else asked.description
    owner = before.owner if asked.owner is None else asked.owner
    return shown(await speaker.ask("set_budget", name=before.name, note=note, owner=owner))


async def listed(speaker: Speaker, asked: ListBudgets) -> object:
    found = [one for one in await every(speaker) if asked.owner in (None, one.owner)]
    return page([shown(one) for one in found], asked.page, asked.limit)


async def show(speaker: Speaker, asked: ShowBudget) -> object:
    return shown(await find(speaker, asked.budget_id))


async def list_policies(speaker: Speaker, asked: ListBudgetPolicies) -> object:
    rules = [policies.shown(one) for one in await rules_of(speaker, asked.budget_id)]
    return page(rules, asked.page, asked.limit)


async def summary(speaker: Speaker, asked: Summarise) -> object:
    """One row for each counter of the budget's policies with that period; dollars first."""
    if asked.period not in PERIODS:
        raise Malformed(f"Invalid period: {asked.period}", hint=f"one of {', '.join(PERIODS)}")
    rules = [
        one for one in await rules_of(speaker, asked.budget_id) if one.policy.period == asked.period
    ]
    rows = [row for rule in rules for row in await counters(speaker, rule, asked)]
    if not rows and asked.period in SPANS:
        rows = [await unlimited(speaker, asked)]
    return sorted(rows, key=lambda row: row["cost_limit"] is None)


async def find(speaker: Speaker, budget: str) -> Budget:
    """Raises NotFound."""
    for one in await every(speaker):
        if one.name == budget:
            return one
    raise NotFound(f"Budget {budget} not found")


async def every(speaker: Speaker) -> list[Budget]:
    return await speaker.every("list_budgets")


async def rules_of(speaker: Speaker, budget: str) -> list[PolicyShown]:
    await find(speaker, budget)
    return await speaker.every("list_policies", budget=budget)


async def counters(speaker: Speaker, rule: PolicyShown, asked: Summarise) -> list[dict[str, Any]]:
    by_key: dict[str | None, dict[str, Balance]] = {}
    for balance in await speaker.every("show_balances", policy=rule.policy.name):
        by_key.setdefault(balance.key, {})[balance.axis] = balance
    return [row(asked, rule, axes) for axes in by_key.values()]


def row(asked: Summarise, rule: PolicyShown, axes: dict[str, Balance]) -> dict[str, Any]:
    usd, tokens = axes.get("usd"), axes.get("tokens")
    window = next(iter(axes.values())).window
    told = scope(asked, rule) | {"start_time": window.starts, "end_time": window.ends}
    return told | money(usd) | counted(tokens)


def scope(asked: Summarise, rule: PolicyShown | None) -> dict[str, Any]:
    match = None if rule is None else rule.policy.match
    return {
        "budget_id": asked.budget_id,
        "policy_id": None if rule is None else rule.policy.name,
        "period": asked.period,
        "tier": match and match.tier,
        "provider": match and match.provider,
        "component": match and match.component,
        "task_type": match and match.task_type,
    }


def money(usd: Balance | None) -> dict[str, Any]:
    """`spent` and `limit` are always numbers: Hephaestus' page rounds them as they come."""
    spent = 0.0 if usd is None else float(usd.used)
    limit = None if usd is None else float(usd.limit)
    return {
        "spent": spent,
        "limit": limit or 0.0,
        "total_cost": spent,
        "cost_limit": limit,
        "cost_usage_percentage": spent / limit if limit else 0.0,
        "remaining_cost": None if usd is None else float(usd.left),
        "cost_limit_exceeded": limit is not None and spent > limit,
    }


def counted(tokens: Balance | None) -> dict[str, Any]:
    used = 0 if tokens is None else int(tokens.used)
    limit = None if tokens is None else int(tokens.limit)
    return {
        "total_tokens_allocated": 0 if tokens is None else int(tokens.held),
        "total_tokens_used": used,
        "token_limit": limit,
        "token_usage_percentage": used / limit if limit else 0.0,
        "remaining_tokens": None if tokens is None else int(tokens.left),
        "token_limit_exceeded": limit is not None and used > limit,
    }


async def unlimited(speaker: Speaker, asked: Summarise) -> dict[str, Any]:
    """What was spent in the budget, where nothing limits that period."""
    span = SPANS[asked.period]
    report = await speaker.ask("show_report", budget=asked.budget_id, span=span)
    spent = number(report.total.cost_usd)
    told = scope(asked, None) | {"start_time": report.since, "end_time": report.until}
    figures = {"spent": spent, "total_cost": spent, "total_tokens_used": report.total.tokens}
    return told | money(None) | counted(None) | figures


def shown(budget: Budget) -> dict[str, Any]:
    return {
        "budget_id": budget.name,
        "name": budget.name,
        "description": budget.note,
        "owner": budget.owner,
        "policies": budget.policies,
        "created_at": None,
        "updated_at": None,
        "is_active": True,
        "metadata": {},
    }
