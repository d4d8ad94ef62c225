"""What would have been: the past decided again under other policies, prices and routes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from protocols.message import Request, Value
from protocols.names import Component, Model, PolicyName, Provider
from protocols.period import Zone
from protocols.policy.policy import Policy
from protocols.prices.changes import Rates
from protocols.reports import Instant, Span
from protocols.routing.rule import RouteRule

DRAFTS_MAX = 100
WAIT_MAX_S = 20.0
What = Literal["refused", "downgraded", "let_in", "as_asked"]
"""`let_in`: refused then, allowed now. `as_asked`: another model took its place then, not now."""


@dataclass(slots=True)
class Difference:
    """One call that would have gone another way. `became`: the model that would have served it."""

    what: What
    entry_id: str
    at: str
    component: str
    task_type: str
    provider: str
    model: str
    policy: str | None
    axis: str | None
    became: str | None
    booked_usd: str
    would_be_usd: str
    detail: str


@dataclass(slots=True)
class Effect:
    """Differences of one policy, or of one component."""

    name: str
    refused: int
    downgraded: int
    let_in: int
    change_usd: str
    first_at: str


@dataclass(slots=True)
class Replayed:
    """What happened, what would have, and where the two part. Nothing was written.

    A call that was refused then and is let in now counts at its worst case. A call that would have
    been refused counts with nothing; one that another model would have served, at that model's
    price for the tokens it used.
    """

    since: str
    until: str
    entries: int
    calls_then: int
    calls_now: int
    refused: int
    downgraded: int
    let_in: int
    as_asked: int
    booked_usd: str
    would_be_usd: str
    change_usd: str
    booked_tokens: int
    would_be_tokens: int
    denied_then: int
    denied_now: int
    differences_total: int
    policies: list[Effect] = field(default_factory=list)
    components: list[Effect] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    """The oldest first."""
    status: Literal["done", "working"] = "done"
    """While it works, no figure means anything but the entries seen and how many there are."""
    replay_id: str | None = None
    entries_total: int | None = None


class DraftPrice(Value):
    """A price as if it had been in force."""

    provider: Provider
    model: Model
    price: Rates


class Replay(Request[Replayed]):
    """What these policies, prices and routes would have made of the past. Nothing is written.

    A policy takes the place of the one of its name, or is added, as if it had been there from the
    start of its windows. Everything else is as it was then.
    """

    span: Span | None = Field(
        default=None, description="last_30_days if neither span nor since is given"
    )
    since: Instant | None = None
    until: Instant | None = Field(default=None, description="not included; default now")
    zone: Zone = "UTC"
    policies: tuple[Policy, ...] = Field(default=(), strict=False, max_length=DRAFTS_MAX)
    without: tuple[PolicyName, ...] = Field(
        default=(), strict=False, max_length=DRAFTS_MAX, description="policies to leave out"
    )
    prices: tuple[DraftPrice, ...] = Field(default=(), strict=False, max_length=DRAFTS_MAX)
    routes: tuple[RouteRule, ...] | None = Field(
        default=None, strict=False, max_length=DRAFTS_MAX,
        description="routes in place of those of budget.toml",
    )  # fmt: skip
    component: Component | None = Field(
        default=None, description="count and show this component's calls only"
    )
    limit: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=100, description="how many differences to show"
    )
    wait: bool = Field(
        default=True, description="false: answer at once with a replay_id, and ask how far it is"
    )

    _progress: Callable[[int, int], None] | None = PrivateAttr(default=None)

    def progress(self, done: int, total: int) -> None:
        """Called on another thread, now and then."""
        if self._progress is not None:
            self._progress(done, total)

    def watched(self, progress: Callable[[int, int], None]) -> Self:
        """Tell how far it has come: entries seen, and how many there are."""
        self._progress = progress
        return self

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.since is None and self.until is not None:
            raise ValueError("until: it needs since as well; add since")
        if self.since is not None and self.span is not None:
            raise ValueError("span: give either span or since; take one away")
        return self


class ShowReplay(Request[Replayed]):
    """How far a replay is, or what came of it. Kept for a while, for whoever began it."""

    replay_id: Annotated[str, Field(pattern=r"^rpl_[0-9a-f]{32}$")]
    wait_s: Annotated[float, Field(ge=0, le=WAIT_MAX_S)] = Field(
        default=0.0, description="answer when it is done, or after so long"
    )
