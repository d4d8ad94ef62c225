"""The language of reports: what was spent, by any part of a call and of time."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from protocols.message import Request
from protocols.names import Component, PolicyName
from protocols.period import DAY_MS, QUARTER_MS, Zone, zone
from protocols.policy.policy import Glob

Span = Literal[
    "today", "yesterday", "this_week", "last_week", "this_month", "last_month",
    "last_24_hours", "last_7_days", "last_30_days",
]  # fmt: skip
Every = Literal["hour", "day", "week", "month"]
Order = Literal["cost", "tokens", "calls", "denied", "change"]
DIMENSION = (
    r"^(component|provider|model|tier|task_type|price_version|policy|budget|tags"
    r"|tag\.[A-Za-z0-9._:/@-]{1,128})$"
)
Dimension = Annotated[str, Field(pattern=DIMENSION)]
DAYS_MAX = 400


def _check_instant(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or (at.tzinfo is None and len(text) != len("2026-11-24")):
        raise ValueError("must be a day such as 2026-11-24, or a time such as 2026-11-24T09:00Z")
    return text


Instant = Annotated[
    str,
    AfterValidator(_check_instant),
    Field(max_length=40, examples=["2026-11-01", "2026-11-24T09:00Z"]),
]


def instant_ms(text: str, zone_name: str) -> int:
    """Milliseconds since the epoch; a day begins at its midnight in the zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone(zone_name))
    return round(at.timestamp()) * 1000


@dataclass(slots=True)
class Figures:
    """Sums. Input is what came from no cache; output has its reasoning in it."""

    cost_usd: str
    tokens: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    calls: int
    denied: int
    overruns: int
    late: int
    estimated: int
    """Calls whose price was not exact."""
    cache_saved_usd: str
    """What the tokens read from a cache would have cost more as plain input."""


@dataclass(slots=True)
class ReportRow:
    """One group, in one piece of time if the report is cut into such."""

    starts: str | None
    ends: str | None
    group: dict[str, str | None]
    """None: the call had no such tag, or no policy counted it."""
    figures: Figures
    before: Figures | None = None
    """The same group in the span before."""
    change_usd: str | None = None


@dataclass(slots=True)
class SpendReport:
    """Half-open spans, RFC 3339 UTC. The total is of everything, each call once."""

    since: str
    until: str
    zone: str
    every: str | None
    group_by: list[str]
    pieces: list[str]
    """Where the pieces of time begin, if it is cut into such."""
    total: Figures
    items: list[ReportRow] = field(default_factory=list)
    left_out: int = 0
    """Rows beyond the limit; the total has them."""
    overlapping: bool = False
    """Whether a call may be in several rows: policies and budgets overlap."""
    before_since: str | None = None
    before_until: str | None = None
    total_before: Figures | None = None


class ShowReport(Request[SpendReport]):
    """What was spent: any filter, any groups, cut by hours, days, weeks or months of a zone."""

    span: Span | None = Field(
        default=None, description="this_month if neither span nor since is given"
    )
    since: Instant | None = None
    until: Instant | None = Field(default=None, description="not included; default now")
    zone: Zone = "UTC"
    every: Every | None = None
    group_by: tuple[Dimension, ...] = Field(default=(), strict=False, max_length=6)
    component: Component | None = None
    provider: Glob | None = None
    model: Glob | None = None
    tier: Glob | None = None
    task_type: Glob | None = None
    policy: PolicyName | None = Field(default=None, description="what counted in this policy")
    budget: PolicyName | None = Field(default=None, description="in any policy of this budget")
    tags: dict[str, Glob] = Field(default={}, description="tag name to glob")
    compare: bool = Field(default=False, description="with the same length of time before")
    order: Order = Field(default="cost", description="largest first; within each piece of time")
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.since is None:
            if self.until is not None:
                raise ValueError("until: it needs since; or give a span such as last_month")
            return self
        if self.span is not None:
            raise ValueError("span: give span or since, not both")
        times = [instant_ms(text, self.zone) for text in (self.since, self.until) if text]
        if any(at % QUARTER_MS for at in times):
            raise ValueError("since: times must be at a quarter of an hour; sums are no finer")
        if len(times) > 1 and not 0 < times[1] - times[0] <= DAYS_MAX * DAY_MS:
            raise ValueError(f"until: must be after since, by at most {DAYS_MAX} days")
        if self.order == "change" and not self.compare:
            raise ValueError("order: change needs compare")
        return self


@dataclass(slots=True)
class Pace:
    """Budget against actual: one counter on one axis, and where its plain rate leads."""

    policy: str
    budget: str
    key: str | None
    axis: str
    limit: str | int
    used: str | int
    held: str | int
    left: str | int
    window_starts: str
    window_ends: str | None
    used_share: float | None
    """Of the limit. None for a limit of nothing."""
    passed_share: float | None
    """Of the window. None where a window does not pass: rolling, total, per session."""
    at_end: str | int | None
    """Used at the end of the window, if it goes on as until now."""
    runs_out_at: str | None
    """When the limit is reached at that rate; None if the window ends before."""


@dataclass(slots=True)
class Paces:
    items: list[Pace]
    next_cursor: str | None = None


class ListPaces(Request[Paces]):
    """Budget against actual: used, how much of the window has passed, and where that leads."""

    policy: PolicyName | None = None
    budget: PolicyName | None = None
    component: Component | None = Field(
        default=None, description="only policies that can match this component"
    )
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: str | None = Field(default=None, max_length=200)
