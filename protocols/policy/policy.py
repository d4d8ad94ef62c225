"""A policy: which calls it matches, what it limits, per which period, how strictly."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from protocols.message import Value
from protocols.money import Nanos, Usd
from protocols.names import PolicyName
from protocols.period import Period, Zone

Enforce = Literal["ignore", "warn", "soft", "hard"]

GLOB = r"^[A-Za-z0-9._:/@*?\[\]!-]{1,128}$"
Glob = Annotated[str, Field(pattern=GLOB)]
EACH = r"^(component|provider|model|tier|task_type|context_id|tag\.[A-Za-z0-9._:/@-]{1,128})$"

COUNT_MAX = 10**15
Count = Annotated[int, Field(ge=0, le=COUNT_MAX)]

SOFT_PRIORITY = 8
"""From this priority on a soft limit may be passed."""
DEFAULT_WARN_AT = (0.8, 0.95)


class Match(Value):
    """Which calls: every named part must fit its glob (`*`, `?`, `[ab]`; case counts)."""

    component: Glob | None = None
    provider: Glob | None = None
    model: Glob | None = None
    tier: Glob | None = None
    task_type: Glob | None = None
    tags: dict[str, Glob] = Field(default={}, description="tag name to glob")


class Limit(Value):
    """At most so much per window. At least one axis."""

    usd: Usd | None = Field(default=None, description="decimal string, USD")
    tokens: Count | None = Field(default=None, description="all kinds of tokens together")
    calls: Count | None = Field(default=None, description="calls, counted when they are held")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.usd is None and self.tokens is None and self.calls is None:
            raise ValueError("must limit at least one of usd, tokens, calls")
        return self


class Override(Value):
    """Who may pass a hard limit, and how far."""

    priority: Annotated[int, Field(ge=1, le=10)] = 10
    usd: Usd = Field(default=Nanos(0), description="decimal string, USD")
    tokens: Count = 0
    calls: Count = 0


class Policy(Value):
    """One rule of the house."""

    name: PolicyName
    budget: PolicyName = Field(default="default", description="the group it belongs to")
    match: Match = Match()
    each: Annotated[str, Field(pattern=EACH)] | None = Field(
        default=None, description="one counter for each value of this part of a call"
    )
    limit: Limit
    period: Period
    zone: Zone = "UTC"
    enforce: Enforce = "hard"
    warn_at: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        default=DEFAULT_WARN_AT, strict=False, max_length=16
    )
    hold_share: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="of the limit, how much one component may hold at once"
    )
    on_limit: Literal["deny", "downgrade"] = Field(
        default="deny", description="downgrade: hold the next cheaper model that fits, else deny"
    )
    override: Override | None = None
    unpriced: Literal["refuse", "envelope"] = Field(
        default="refuse",
        description="a call without a trusted price: refuse it, or hold the dearest known rate",
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.override is not None and self.enforce != "hard":
            raise ValueError("override: only a hard limit can be overridden; remove it")
        if self.each == "context_id" and self.period in ("per_session", "per_task"):
            raise ValueError("each: per_session and per_task already count each context")
        return self
