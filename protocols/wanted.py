"""The facts of a call about to be made: who calls, for what, how much, and on which model."""

from typing import Annotated

from pydantic import Field

from protocols.message import Value
from protocols.money import Usd
from protocols.names import HOLD_ID, Component, ContextId, Model, Provider, Tags, TaskType
from protocols.routing.abilities import Needs

TOKENS_MAX = 10**12
Tokens = Annotated[int, Field(ge=0, le=TOKENS_MAX)]
Priority = Annotated[int, Field(ge=1, le=10)]
TtlS = Annotated[int, Field(ge=1, le=86_400)]
AllocationId = Annotated[str, Field(pattern=HOLD_ID.replace("(rsv|alc)", "alc"))]
Metadata = Annotated[
    dict[Annotated[str, Field(max_length=128)], str | int | bool | None], Field(max_length=32)
]


class Job(Value):
    """What is to be done, whichever model does it."""

    component: Component
    task_type: TaskType = "default"
    priority: Priority = 5
    context_id: ContextId | None = None
    allocation_id: AllocationId | None = None
    input_tokens: Tokens | None = None
    input_text: Annotated[str, Field(max_length=1_000_000)] | None = Field(
        default=None, description="counted, never kept", repr=False
    )
    max_output_tokens: Tokens | None = None
    needs: Needs = ()
    ttl_s: TtlS = 300
    tags: Tags = Field(default_factory=dict)
    metadata: Metadata = Field(default_factory=dict)


class Wanted(Job):
    """A job for one model."""

    provider: Provider | None = None
    model: Model
    exact_model: bool = Field(
        default=False, description="refuse rather than downgrade, whatever a policy says"
    )
    usd: Usd | None = Field(default=None, description="hold this sum instead of an estimate")
