"""Allocations in Tekton's words: tokens for a context, drawn from by many calls."""

from typing import Annotated, Any

from pydantic import Field

from protocols.ledger import Allocation, HoldShown
from protocols.names import Component, ContextId, Model, PolicyName, Provider, TaskType
from protocols.period import rfc3339
from protocols.tekton import budgets
from protocols.tekton.speaker import Speaker
from protocols.tekton.spoken import Moment, Paged, Spoken, milliseconds, number, page
from protocols.tiers import Tier
from protocols.wanted import Metadata, Priority, Tokens


class CreateAllocation(Spoken):
    budget_id: PolicyName | None = Field(default=None, description="every matching policy counts")
    context_id: ContextId
    component: Component
    tier: Tier | None = Field(default=None, description="kept; the model decides the tier")
    provider: Provider | None = None
    model: Model | None = None
    task_type: TaskType = "default"
    priority: Priority = 5
    tokens_allocated: Annotated[int, Field(ge=1)]
    expected_tokens_used: Tokens | None = None
    expiration_time: Moment | None = None
    metadata: Metadata = {}


class ShowContext(Spoken):
    context_id: ContextId


class ListBudgetAllocations(Paged):
    budget_id: PolicyName
    is_active: bool | None = None


async def create(speaker: Speaker, asked: CreateAllocation) -> object:
    kept = {
        "budget_id": asked.budget_id,
        "tier": asked.tier,
        "expected_tokens_used": asked.expected_tokens_used,
    }
    metadata = asked.metadata | {name: part for name, part in kept.items() if part is not None}
    ttl_s = None
    if asked.expiration_time is not None:
        ttl_s = -((speaker.now_ms - milliseconds(asked.expiration_time)) // 1000)
    made: Allocation = await speaker.ask(
        "allocate",
        context_id=asked.context_id,
        component=asked.component,
        provider=asked.provider,
        model=asked.model,
        task_type=asked.task_type,
        priority=asked.priority,
        tokens=asked.tokens_allocated,
        ttl_s=ttl_s,
        metadata=metadata,
    )
    told = {
        "tier": made.tier,
        "provider": asked.provider,
        "model": asked.model,
        "priority": made.priority,
        "creation_time": rfc3339(speaker.now_ms),
        "metadata": metadata,
    }
    return _told(made.allocation_id, made, made.held.tokens, 0, active=True) | told


async def of_context(speaker: Speaker, asked: ShowContext) -> object:
    """Those that are open now."""
    found = await speaker.every("list_allocations", status="held")
    return [shown(one) for one in found if one.context_id == asked.context_id]


async def of_budget(speaker: Speaker, asked: ListBudgetAllocations) -> object:
    """Those that count in any policy of the budget, oldest first."""
    await budgets.find(speaker, asked.budget_id)
    status = "held" if asked.is_active else None
    found = await speaker.every("list_allocations", budget=asked.budget_id, status=status)
    told = [shown(one) for one in found]
    wanted = [one for one in told if asked.is_active in (None, one["is_active"])]
    return page(wanted, asked.page, asked.limit)


def shown(hold: HoldShown) -> dict[str, Any]:
    left, used = hold.held.tokens, hold.spent.tokens
    told = {
        "tier": hold.metadata.get("tier"),
        "provider": hold.provider,
        "model": hold.model,
        "priority": None,
        "actual_cost": number(hold.spent.usd),
        "metadata": hold.metadata,
    }
    return _told(hold.id, hold, left + used, used, active=hold.status == "held") | told


def _told(
    name: str, hold: Allocation | HoldShown, allocated: int, used: int, *, active: bool
) -> dict[str, Any]:
    return {
        "allocation_id": name,
        "context_id": hold.context_id,
        "component": hold.component,
        "task_type": hold.task_type,
        "tokens_allocated": allocated,
        "tokens_used": used,
        "input_tokens_used": None,
        "output_tokens_used": None,
        "estimated_cost": number(hold.held.usd),
        "actual_cost": 0.0,
        "creation_time": None,
        "expiration_time": hold.expires_at,
        "last_updated": None,
        "is_active": active,
        "remaining_tokens": allocated - used,
        "usage_percentage": used / allocated if allocated else 0.0,
    }
