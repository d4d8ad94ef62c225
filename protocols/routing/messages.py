"""The language of routing: which model for this job, and why each was taken or refused."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from protocols.ledger import Reservation
from protocols.message import Request
from protocols.money import Usd
from protocols.names import Model, Provider
from protocols.routing.rule import Candidates
from protocols.routing.words import Order, Reason
from protocols.wanted import Job


@dataclass(slots=True)
class Room:
    """What could still be held for this candidate; None where nothing limits it."""

    usd: str | None
    tokens: int | None
    calls: int | None


@dataclass(slots=True)
class CandidateShown:
    """One model that was looked at. `past_limit`: it fits only beyond a limit it may pass."""

    provider: str
    model: str
    tier: str
    verdict: Literal["taken", "fits", "past_limit", "refused"]
    reason: Reason | None
    detail: str
    usd: str | None
    tokens: int | None
    price_version: str | None
    price_source: str | None
    context_window: int | None
    room: Room | None


@dataclass(slots=True)
class Routed:
    """The choice, and every candidate in the order they were tried, the refused ones last.

    `as_asked`: the model asked for. `downgraded`: a cheaper one. `chosen`: none was asked for, or
    the one asked for cannot do it. `refused`: nothing fits; `denial` says what stands in the way.
    """

    outcome: Literal["as_asked", "downgraded", "chosen", "refused"]
    provider: str | None
    model: str | None
    route: str
    detail: str
    candidates: list[CandidateShown]
    candidates_total: int
    fitting: int
    reservation: Reservation | None = None
    denial: dict[str, Any] | None = field(default=None)


class Route(Job, Request[Routed]):
    """Which model may do this job now? With `hold`, it is held in the same step.

    Order: as asked if it fits, a cheaper one of the same provider, a cheaper one of another, a
    free local one, else refused. Only models that are known to fit are ever chosen unasked.
    """

    provider: Provider | None = None
    model: Model | None = Field(default=None, description="as asked; empty: choose for me")
    candidates: Candidates | None = Field(
        default=None, description="instead of those of budget.toml, the preferred first"
    )
    max_usd: Usd | None = Field(default=None, description="the dearest the call may be, USD")
    order: Order | None = Field(default=None, description="default: what the route says")
    hold: bool = Field(default=False, description="hold it in the same step, as reserve does")
    limit: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=50, description="how many candidates to show"
    )
