"""Tekton's tools that advise: cheaper models, a model for this call, what was spent on what."""

from decimal import Decimal
from typing import Any

from protocols.mcp.tekton.desk import Desk, Json
from protocols.mcp.tekton.words import (
    GetModelRecommendations,
    GetUsageAnalytics,
    RouteWithBudgetAwareness,
)
from protocols.recommend import DAYS

SHOWN_MAX = 20
SPANS = {"hourly": "today", "daily": "today", "weekly": "this_week", "monthly": "this_month"}
GROUPS = ("provider", "model", "component", "task_type")
ROWS_MAX = 10_000


async def recommend(desk: Desk, asked: GetModelRecommendations) -> Json:
    tokens_in = asked.context_size // 4
    found = await desk.ask(
        "recommend_models", component=desk.whom(asked.component), task_type=asked.task_type,
        input_tokens=tokens_in, output_tokens=asked.context_size - tokens_in,
        provider=asked.provider, model=asked.model, limit=SHOWN_MAX,
    )  # fmt: skip
    now = found["now_usd_per_month"]
    cost = None if now is None else Decimal(now) / DAYS
    items = [_advice(row, cost) for row in found["items"]]
    return {
        "items": [item for item in items if cost is None or item["savings"] is not None],
        "current_provider": asked.provider or None, "current_model": asked.model or None,
        "current_cost": None if cost is None else str(cost),
    }  # fmt: skip


def _advice(row: Json, cost: Decimal | None) -> Json:
    usd = Decimal(row["usd_per_call"])
    saves = None if cost is None or usd >= cost else cost - usd
    return {
        "provider": row["provider"], "model": row["model"], "tier": row["tier"],
        "estimated_cost": row["usd_per_call"],
        "savings": None if saves is None else str(saves),
        "savings_percent": None if saves is None or not cost else int(100 * saves / cost),
    }  # fmt: skip


async def route(desk: Desk, asked: RouteWithBudgetAwareness) -> Json:
    routed = await desk.ask(
        "route", component=desk.whom(asked.component), task_type=asked.task_type,
        input_text=asked.input_text, provider=asked.default_provider, model=asked.default_model,
    )  # fmt: skip
    return {
        "provider": routed["provider"], "model": routed["model"], "outcome": routed["outcome"],
        "is_downgraded": routed["outcome"] == "downgraded", "reason": routed["detail"],
        "denial": routed["denial"],
    }  # fmt: skip


async def analyze(desk: Desk, asked: GetUsageAnalytics) -> Json:
    times: Json = {"span": SPANS[asked.period]}
    if asked.start_date:
        times = {"since": asked.start_date, "until": asked.end_date}
    report = await desk.ask(
        "show_report", provider=asked.provider, model=asked.model, component=asked.component,
        task_type=asked.task_type, group_by=list(GROUPS), limit=ROWS_MAX, **times,
    )  # fmt: skip
    return {
        "period": asked.period, "start_time": report["since"], "end_time": report["until"],
        **{f"total_{name}": value for name, value in _figures([report["total"]]).items()},
        "count": report["total"]["calls"],
        "groups": {name: _group(report["items"], name) for name in GROUPS},
        "rows_left_out": report["left_out"],
    }  # fmt: skip


def _group(rows: list[Json], name: str) -> Json:
    """Add up what has the same value; "" where a call had none."""
    by_value: dict[str, list[Json]] = {}
    for row in rows:
        by_value.setdefault(row["group"][name] or "", []).append(row["figures"])
    return {
        value: {
            "input_tokens": sums["input_tokens"], "output_tokens": sums["output_tokens"],
            "total_tokens": sums["tokens"], "cost": sums["cost"],
            "count": sum(one["calls"] for one in figures),
        }
        for value, figures in by_value.items() if (sums := _figures(figures))
    }  # fmt: skip


def _figures(parts: list[Json]) -> dict[str, Any]:
    """Input is all that was read, from a cache or not; the cost is a decimal string, USD."""
    read = ("input_tokens", "cache_read_tokens", "cache_write_tokens")
    return {
        "input_tokens": sum(part[name] for part in parts for name in read),
        "output_tokens": sum(part["output_tokens"] for part in parts),
        "tokens": sum(part["tokens"] for part in parts),
        "cost": str(sum((Decimal(part["cost_usd"]) for part in parts), Decimal(0))),
    }
