"""Which models could do a described work: routing finds them, a month is the price times calls."""

from typing import Any

from actors.assistant.ports import Desk
from protocols.message import Caller
from protocols.money import nanos, show_usd
from protocols.recommend import DAYS, Recommendation, Recommendations, RecommendModels

CANDIDATES_MAX = 1000
FITS = ("taken", "fits")


async def recommend(desk: Desk, ask: RecommendModels, caller: Caller) -> Recommendations:
    """Raises `BudgetError` as routing does."""
    calls = ask.calls_per_day * DAYS
    routed = await desk.perform(
        "route",
        {
            "component": ask.component, "task_type": ask.task_type,
            "input_tokens": ask.input_tokens, "max_output_tokens": ask.output_tokens,
            "needs": list(ask.needs), "order": "cheapest", "limit": CANDIDATES_MAX,
        },
        caller,
    )  # fmt: skip
    now = await _now(desk, ask, caller)
    fitting = [row for row in routed["candidates"] if row["verdict"] in FITS and row["usd"]]
    fitting.sort(key=lambda row: nanos(row["usd"]))
    most = ask.max_usd_per_month
    bearable = [row for row in fitting if most is None or nanos(row["usd"]) * calls <= most]
    return Recommendations(
        items=[_shown(row, calls, now) for row in bearable[: ask.limit]],
        now_usd_per_month=None if now is None else show_usd(now * calls),
        fitting=len(fitting),
        dearer=len(fitting) - len(bearable),
    )


async def _now(desk: Desk, ask: RecommendModels, caller: Caller) -> int | None:
    """What one call costs with the model in use."""
    if ask.model is None:
        return None
    usage = {"input_tokens": ask.input_tokens, "output_tokens": ask.output_tokens}
    of = {"provider": ask.provider, "model": ask.model}
    quoted = await desk.perform("quote", of | {"usage": usage}, caller)
    return nanos(quoted["cost_usd"])


def _shown(row: dict[str, Any], calls: int, now: int | None) -> Recommendation:
    usd = nanos(row["usd"])
    return Recommendation(
        provider=row["provider"],
        model=row["model"],
        tier=row["tier"],
        usd_per_call=row["usd"],
        usd_per_month=show_usd(usd * calls),
        saves_usd_per_month=None if now is None else show_usd((now - usd) * calls),
        context_window=row["context_window"],
        price_version=row["price_version"],
    )
