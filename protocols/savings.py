"""Savings: which cheaper model could have done the same, and what it would have saved."""

from dataclasses import dataclass, field
from typing import Annotated, Self

from pydantic import Field, model_validator

from protocols.message import Request
from protocols.names import Component, TaskType
from protocols.period import Zone
from protocols.reports import Instant, Span
from protocols.routing.abilities import Needs


@dataclass(slots=True)
class Alternative:
    """A model that is known to be able to do these calls, at today's price for the same tokens."""

    provider: str
    model: str
    would_be_usd: str
    saving_usd: str


@dataclass(slots=True)
class Saving:
    """Calls of one component, one task type and one model. Alternatives: the nearest in price of
    the same provider, the nearest of another, and the cheapest, which comes last.
    """

    component: str
    task_type: str
    provider: str
    model: str
    calls: int
    booked_usd: str
    largest_input_tokens: int
    largest_output_tokens: int
    needs: list[str]
    alternatives: list[Alternative]


@dataclass(slots=True)
class Savings:
    """The largest saving first. Whether a cheaper model does the work as well is not known here."""

    since: str
    until: str
    booked_usd: str
    looked_at_usd: str
    """Of it, calls in standard mode that were charged: only these can be compared."""
    saving_usd: str
    """If every one were followed to its last alternative."""
    items: list[Saving] = field(default_factory=list)


class FindSavings(Request[Savings]):
    """Which cheaper models could have done the calls of a period, and what they would have saved.

    Candidates are those of the routes. They must be known to take the largest call that was made.
    """

    span: Span | None = Field(
        default=None, description="last_30_days if neither span nor since is given"
    )
    since: Instant | None = None
    until: Instant | None = Field(default=None, description="not included; default now")
    zone: Zone = "UTC"
    component: Component | None = None
    task_type: TaskType | None = None
    needs: Needs = ()
    limit: Annotated[int, Field(ge=1, le=1000)] = 20

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.since is None and self.until is not None:
            raise ValueError("until: it needs since as well; add since")
        if self.since is not None and self.span is not None:
            raise ValueError("span: give either span or since; take one away")
        return self
