"""What Tekton's components say to a budget, under the names its code uses."""

from typing import Annotated, Any, Literal

from pydantic import Field

from protocols.message import Value
from protocols.wanted import Priority, Tokens

Text = Annotated[str, Field(max_length=128)]
"""Checked by the operation it goes to. Tekton writes an empty string for "not said"."""
LongText = Annotated[str, Field(max_length=1_000_000)]
TektonPeriod = Literal["hourly", "daily", "weekly", "monthly"]


class AllocateBudget(Value):
    """Hold tokens for a context that many calls draw from."""

    context_id: Text
    amount: Tokens = Field(description="tokens")
    component: Text
    tier: Text = Field(default="", description="kept as the tag `tier` of the allocation")
    provider: Text = ""
    model: Text = ""
    task_type: Text = "default"
    priority: Priority = 5


class CheckBudget(Value):
    """Would this call be allowed? Nothing is held."""

    provider: Text
    model: Text
    input_text: LongText = Field(default="", description="counted, never kept")
    component: Text
    task_type: Text = "default"
    context_id: Text = ""


class RecordUsage(Value):
    """Book a call that was made. Texts are counted where the counts are not given."""

    provider: Text
    model: Text
    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None
    input_text: LongText = ""
    output_text: LongText = ""
    component: Text
    task_type: Text = "default"
    context_id: Text = ""
    allocation_id: Text = ""
    request_id: Text = ""
    metadata: dict[str, Any] = Field(default={}, description="not kept")


class GetBudgetStatus(Value):
    """What is used and left of each limit of a period."""

    period: TektonPeriod = "daily"
    tier: Text = ""
    provider: Text = ""
    component: Text = ""


class GetModelRecommendations(Value):
    """Cheaper models for a kind of work, and what they would save."""

    provider: Text = ""
    model: Text = Field(default="", description="the one in use, to compare with")
    task_type: Text = "default"
    context_size: Tokens = Field(default=4000, description="a quarter of it in, the rest out")
    component: Text = Field(default="", description="for whom; default: the caller")


class RouteWithBudgetAwareness(Value):
    """Which model may do this now? Nothing is held."""

    input_text: LongText = Field(description="counted, never kept")
    task_type: Text = "default"
    default_provider: Text = ""
    default_model: Text = ""
    component: Text = Field(default="", description="for whom; default: the caller")


class GetUsageAnalytics(Value):
    """What was spent in a period, by provider, model, component and task type."""

    period: TektonPeriod = "daily"
    provider: Text = ""
    model: Text = ""
    component: Text = ""
    task_type: Text = ""
    start_date: Text = Field(default="", description="a day or a time, instead of the period")
    end_date: Text = ""


class Process(Value):
    """One call in Tekton's envelope."""

    tool_name: Text = ""
    toolName: Text = ""  # noqa: N815  # both spellings are about
    name: Text = Field(default="", description="what `/tools/call` has for it")
    arguments: dict[str, Any] = {}
    context: dict[str, Any] = Field(default={}, description="not looked at")
