"""Prices in Tekton's words: dollars for one token, as numbers."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from protocols.errors import Unpriced
from protocols.names import Model, Provider, TaskType
from protocols.prices.changes import VersionShown
from protocols.prices.messages import PriceShown
from protocols.routing.messages import CandidateShown
from protocols.tekton.speaker import Speaker
from protocols.tekton.spoken import Spoken

ASKER = "budget"
"""Who is thought to call when only a price is asked for: nobody's own limits."""
INPUT_PART = 4
"""Tekton reckons with a quarter of a context as input, the rest as output."""
MILLION = 1_000_000


class Current(Spoken):
    provider: Provider
    model: Model


class Recommend(Spoken):
    provider: Provider
    model: Model
    task_type: TaskType = "default"
    context_size: Annotated[int, Field(ge=1, le=10**9)] = 4000


async def current(speaker: Speaker, asked: Current) -> object:
    return shown((await versions(speaker, asked))[0])


async def history(speaker: Speaker, asked: Current) -> object:
    """Newest first."""
    return [shown(one) for one in await versions(speaker, asked)]


async def recommend(speaker: Speaker, asked: Recommend) -> object:
    """Models that could take this call now for less, the cheapest first. Nothing is held."""
    read = asked.context_size // INPUT_PART
    written = asked.context_size - read
    quoted = await speaker.ask(
        "quote",
        provider=asked.provider,
        model=asked.model,
        usage={"input": read, "output": written},
    )
    cost = Decimal(quoted.cost_usd)
    routed = await speaker.ask(
        "route",
        component=ASKER,
        task_type=asked.task_type,
        input_tokens=read,
        max_output_tokens=written,
        order="cheapest",
        limit=1000,
    )
    cheaper = [one for one in routed.candidates if _saves(one, cost)]
    return {
        "items": [await recommended(speaker, one, cost) for one in cheaper[:10]],
        "current_model": asked.model,
        "current_provider": asked.provider,
        "current_cost": float(cost),
    }


async def recommended(speaker: Speaker, one: CandidateShown, cost: Decimal) -> dict[str, Any]:
    estimated = Decimal(one.usd or 0)
    read, written = await each_token(speaker, one)
    return {
        "provider": one.provider,
        "model": one.model,
        "estimated_cost": float(estimated),
        "savings": float(cost - estimated),
        "savings_percent": float((cost - estimated) / cost * 100),
        "input_cost_per_token": read,
        "output_cost_per_token": written,
    }


async def each_token(speaker: Speaker, one: CandidateShown) -> tuple[float | None, float | None]:
    """Of a provider that is declared free there are no rates to look up."""
    try:
        found = await versions(speaker, Current(provider=one.provider, model=one.model))
    except Unpriced:
        return 0.0, 0.0
    return each(found[0].price, "input"), each(found[0].price, "output")


def _saves(one: CandidateShown, cost: Decimal) -> bool:
    admitted = one.verdict in ("taken", "fits")
    return admitted and one.usd is not None and Decimal(one.usd) < cost


async def versions(speaker: Speaker, asked: Current) -> list[VersionShown]:
    told = await speaker.ask("list_price_history", provider=asked.provider, model=asked.model)
    found: list[VersionShown] = sorted(told.items, key=lambda one: not one.in_force)
    return found


def each(price: PriceShown, kind: str) -> float | None:
    """None where nobody has said it: that is not free."""
    if kind not in price.rates:
        return 0.0 if price.free else None
    return float(Decimal(price.rates[kind]) / MILLION)


def shown(version: VersionShown) -> dict[str, Any]:
    price = version.price
    return {
        "pricing_id": price.price_version,
        "provider": price.provider,
        "model": price.model,
        "price_type": "token_based",
        "input_cost_per_token": each(price, "input"),
        "output_cost_per_token": each(price, "output"),
        "input_cost_per_char": None,
        "output_cost_per_char": None,
        "cost_per_image": None,
        "cost_per_second": None,
        "fixed_cost_per_request": None,
        "version": price.price_version,
        "source": price.source,
        "source_url": None,
        "verified": version.state in ("agreed", "approved", "set"),
        "effective_date": version.valid_from,
        "end_date": None,
        "metadata": {"state": version.state, "in_force": version.in_force},
    }
