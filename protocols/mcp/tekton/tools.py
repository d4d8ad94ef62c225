"""Each of Tekton's tools: the operations behind it, and its answer in Tekton's fields."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from protocols.mcp.tekton.advice import analyze, recommend, route
from protocols.mcp.tekton.desk import Desk, Json
from protocols.mcp.tekton.words import (
    AllocateBudget,
    CheckBudget,
    GetBudgetStatus,
    GetModelRecommendations,
    GetUsageAnalytics,
    RecordUsage,
    RouteWithBudgetAwareness,
)
from protocols.message import Value
from protocols.token_estimate import estimate_tokens

POLICIES_MAX = 1000


async def allocate(desk: Desk, asked: AllocateBudget) -> Json:
    made = await desk.ask(
        "allocate", component=asked.component, context_id=asked.context_id, tokens=asked.amount,
        provider=asked.provider, model=asked.model, task_type=asked.task_type,
        priority=asked.priority, tags={"tier": asked.tier} if asked.tier else {},
    )  # fmt: skip
    return {
        "allocation_id": made["allocation_id"], "context_id": made["context_id"],
        "amount": made["held"]["tokens"], "remaining": made["held"]["tokens"],
        "tier": made["tier"], "provider": asked.provider or None, "model": asked.model or None,
    }  # fmt: skip


async def check(desk: Desk, asked: CheckBudget) -> Json:
    checked = await desk.ask(
        "check", component=asked.component, provider=asked.provider, model=asked.model,
        input_text=asked.input_text, task_type=asked.task_type, context_id=asked.context_id,
    )  # fmt: skip
    return {"allowed": checked["allowed"], "info": checked}


async def record(desk: Desk, asked: RecordUsage) -> Json:
    counted = {
        "input_tokens": _count(asked, asked.input_tokens, asked.input_text),
        "output_tokens": _count(asked, asked.output_tokens, asked.output_text),
    }
    booked = await desk.ask(
        "record", component=asked.component, provider=asked.provider, model=asked.model,
        usage=counted, task_type=asked.task_type, context_id=asked.context_id,
        allocation_id=asked.allocation_id, response_id=asked.request_id,
    )  # fmt: skip
    left = None
    if asked.allocation_id:
        shown = await desk.ask("show_allocation", allocation_id=asked.allocation_id)
        left = shown["held"]["tokens"]
    return {
        "context_id": asked.context_id or None, "recorded_tokens": booked["tokens"],
        "remaining": left, "success": True, "cost_usd": booked["cost_usd"],
        "estimated": asked.input_tokens is None or asked.output_tokens is None,
    }  # fmt: skip


def _count(asked: RecordUsage, tokens: int | None, text: str) -> int:
    if tokens is not None:
        return tokens
    return estimate_tokens(text, asked.provider, asked.model) if text else 0


async def status(desk: Desk, asked: GetBudgetStatus) -> Json:
    policies = await desk.ask("list_policies", limit=POLICIES_MAX)
    named = {
        shown["policy"]["name"] for shown in policies["items"]
        if shown["policy"]["period"] == asked.period
        and _may_match(shown["policy"]["match"]["tier"], asked.tier)
        and _may_match(shown["policy"]["match"]["provider"], asked.provider)
    }  # fmt: skip
    balances = await desk.ask("show_balances", component=asked.component, limit=POLICIES_MAX)
    items = [row for row in balances["items"] if row["policy"] in named]
    return {"period": asked.period, "success": True, "items": items}


def _may_match(glob: str | None, wanted: str) -> bool:
    return not wanted or glob in (None, "*", wanted)


@dataclass(frozen=True, slots=True)
class BridgeTool:
    """A name of Tekton's, what it takes, and who answers it."""

    name: str
    takes: type[Value]
    answer: Callable[[Desk, Any], Awaitable[Json]]

    def described(self) -> Json:
        schema = self.takes.model_json_schema()
        return {
            "name": self.name,
            "description": (self.takes.__doc__ or "").strip(),
            "schema": schema,
            "input_schema": schema,
        }


TOOLS = {
    tool.name: tool
    for tool in (
        BridgeTool("AllocateBudget", AllocateBudget, allocate),
        BridgeTool("CheckBudget", CheckBudget, check),
        BridgeTool("RecordUsage", RecordUsage, record),
        BridgeTool("GetBudgetStatus", GetBudgetStatus, status),
        BridgeTool("GetModelRecommendations", GetModelRecommendations, recommend),
        BridgeTool("RouteWithBudgetAwareness", RouteWithBudgetAwareness, route),
        BridgeTool("GetUsageAnalytics", GetUsageAnalytics, analyze),
    )
}
