"""Policies in Tekton's words: its four types are our four ways to enforce."""

import secrets
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from protocols.names import PolicyName
from protocols.policy.messages import PolicyShown
from protocols.policy.policy import Glob
from protocols.tekton.speaker import Speaker
from protocols.tekton.spoken import Always, Dollars, Paged, Spoken, number, page

Type = Literal["ignore", "warn", "soft_limit", "hard_limit"]
Period = Literal["hourly", "daily", "weekly", "monthly", "per_session", "per_task"]
Threshold = Annotated[float, Field(gt=0, le=1)]
TOKENS = Annotated[int, Field(ge=0)]


class CreatePolicy(Spoken):
    budget_id: PolicyName = "default"
    type: Type
    period: Period
    tier: Glob | None = None
    provider: Glob | None = None
    component: Glob | None = None
    task_type: Glob | None = None
    token_limit: TOKENS | None = None
    cost_limit: Dollars | None = None
    warning_threshold: Threshold = 0.8
    action_threshold: Threshold = 0.95
    enabled: Always = True

    @model_validator(mode="after")
    def _limits_something(self) -> "CreatePolicy":
        if self.token_limit is None and self.cost_limit is None:
            raise PydanticCustomError("limit", "give token_limit, cost_limit or both")
        return self


class ListPolicies(Paged):
    period: Period | None = None
    tier: str | None = None
    provider: str | None = None
    component: str | None = None
    task_type: str | None = None
    enabled: Always = True


class UpdatePolicy(Spoken):
    """What is left out stays as it is."""

    name: PolicyName
    type: Type | None = None
    period: Period | None = None
    token_limit: TOKENS | None = None
    cost_limit: Dollars | None = None
    warning_threshold: Threshold | None = None
    action_threshold: Threshold | None = None
    enabled: Always = True


async def create(speaker: Speaker, asked: CreatePolicy) -> object:
    parts = (asked.tier, asked.provider, asked.component, asked.task_type)
    match = dict(zip(("tier", "provider", "component", "task_type"), parts, strict=True))
    told = {
        "name": f"{asked.budget_id}-{asked.period}-{secrets.token_hex(4)}"[-128:],
        "budget": asked.budget_id,
        "match": {name: part for name, part in match.items() if part is not None},
        "limit": limit(asked.cost_limit, asked.token_limit),
        "period": asked.period,
        "enforce": asked.type.removesuffix("_limit"),
        "warn_at": sorted({asked.warning_threshold, asked.action_threshold}),
    }
    return shown(await speaker.ask("set_policy", **told))


async def listed(speaker: Speaker, asked: ListPolicies) -> object:
    """Those that name the very part that is asked for."""
    wanted = asked.model_dump(exclude={"page", "limit", "enabled"}, exclude_none=True)
    found = [shown(one) for one in await speaker.every("list_policies")]
    fit = [one for one in found if all(one[name] == part for name, part in wanted.items())]
    return page(fit, asked.page, asked.limit)


async def update(speaker: Speaker, asked: UpdatePolicy) -> object:
    """Read, change, set: its match and whatever Tekton has no word for stay."""
    before: PolicyShown = await speaker.ask("show_policy", name=asked.name)
    told = before.policy.model_dump(mode="json", exclude_none=True)
    told["limit"] |= limit(asked.cost_limit, asked.token_limit)
    if asked.type is not None:
        told["enforce"] = asked.type.removesuffix("_limit")
    if asked.period is not None:
        told["period"] = asked.period
    first, last = thresholds(before)
    warn_at = {asked.warning_threshold or first, asked.action_threshold or last}
    if asked.warning_threshold is not None or asked.action_threshold is not None:
        told["warn_at"] = sorted(warn_at)
    return shown(await speaker.ask("set_policy", **told))


def limit(usd: str | None, tokens: int | None) -> dict[str, Any]:
    given = {"usd": usd, "tokens": tokens}
    return {axis: amount for axis, amount in given.items() if amount is not None}


def thresholds(rule: PolicyShown) -> tuple[float, float]:
    warn_at = rule.policy.warn_at or (1.0,)
    return min(warn_at), max(warn_at)


def shown(rule: PolicyShown) -> dict[str, Any]:
    policy = rule.policy
    enforce = policy.enforce
    usd = policy.model_dump(mode="json")["limit"]["usd"]
    warning, action = thresholds(rule)
    return {
        "policy_id": policy.name,
        "budget_id": policy.budget,
        "type": f"{enforce}_limit" if enforce in ("soft", "hard") else enforce,
        "period": policy.period,
        "tier": policy.match.tier,
        "provider": policy.match.provider,
        "component": policy.match.component,
        "task_type": policy.match.task_type,
        "token_limit": policy.limit.tokens,
        "cost_limit": number(usd),
        "warning_threshold": warning,
        "action_threshold": action,
        "start_date": rule.set_at,
        "end_date": None,
        "enabled": True,
        "metadata": {},
    }
