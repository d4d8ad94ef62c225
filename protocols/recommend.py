"""The language of recommendations: models for a described work, and what a month of them costs."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from protocols.message import Request
from protocols.money import Usd
from protocols.names import Component, Model, Provider, TaskType
from protocols.routing.abilities import Needs
from protocols.wanted import Tokens

DAYS = 30
"""A month, here."""


@dataclass(slots=True)
class Recommendation:
    """One model that can do it and that every limit has room for now."""

    provider: str
    model: str
    tier: str
    usd_per_call: str
    usd_per_month: str
    saves_usd_per_month: str | None
    """Against the model in use; None without one."""
    context_window: int | None
    price_version: str | None


@dataclass(slots=True)
class Recommendations:
    """The cheapest first. `dearer` are those that would pass `max_usd_per_month`."""

    items: list[Recommendation] = field(default_factory=list)
    now_usd_per_month: str | None = None
    fitting: int = 0
    dearer: int = 0


class RecommendModels(Request[Recommendations]):
    """Which models could do this work, and what would they cost a month? Books nothing."""

    component: Component = Field(description="for whom: its limits count")
    task_type: TaskType = "default"
    input_tokens: Tokens = Field(description="of one call")
    output_tokens: Tokens = Field(description="of one call")
    calls_per_day: Annotated[int, Field(ge=1, le=10**9)] = 1
    max_usd_per_month: Usd | None = Field(default=None, description="decimal string, USD")
    provider: Provider | None = Field(default=None, description="of the model in use")
    model: Model | None = Field(default=None, description="the model in use, to compare with")
    needs: Needs = ()
    limit: Annotated[int, Field(ge=1, le=100)] = 10
