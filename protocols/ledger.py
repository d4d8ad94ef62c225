"""The language of a component's ledger: hold, settle, release, extend, record, allocate."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from protocols.message import Request
from protocols.money import Usd
from protocols.names import (
    HOLD_ID,
    Component,
    ContextId,
    Model,
    PolicyName,
    Provider,
    Tags,
    TaskType,
)
from protocols.policy.charge import Considered, Warned
from protocols.policy.standing import Shown
from protocols.wanted import AllocationId, Metadata, Priority, Tokens, TtlS, Wanted

ReservationId = Annotated[str, Field(pattern=HOLD_ID.replace("(rsv|alc)", "rsv"))]
RawUsage = Annotated[
    dict[str, Any],
    Field(description="normalised counts, or a provider's usage object as it came"),
]
ResponseId = Annotated[str, Field(min_length=1, max_length=256)]


@dataclass(slots=True)
class Held:
    """USD as a decimal string, tokens and calls as integers."""

    usd: str
    tokens: int
    calls: int


@dataclass(slots=True)
class Instead:
    """The model that was asked for, and the policy whose limit let another one take its place."""

    provider: str
    model: str
    policy: str
    detail: str


@dataclass(slots=True)
class Reservation:
    """What is held, until when, and where every matching policy stands after it.

    With `instead_of`, `provider` and `model` are not those asked for: call these.
    """

    reservation_id: str
    status: str
    outcome: Literal["allowed", "warned"]
    component: str
    provider: str
    model: str
    held: Held
    price_version: str
    estimated: bool
    expires_at: str
    warnings: list[Warned]
    instead_of: Instead | None = field(default=None, kw_only=True)
    policies: Shown
    """The last: what is written at once and what is kept for a key are the same text."""


@dataclass(slots=True)
class HoldShown:
    """A reservation or allocation as it stands now: status held, settled, released or expired."""

    id: str
    status: str
    component: str
    provider: str
    model: str
    task_type: str
    context_id: str | None
    held: Held
    spent: Held
    price_version: str
    estimated: bool
    expires_at: str
    allocation_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Holds:
    items: list[HoldShown]
    next_cursor: str | None = None


@dataclass(slots=True)
class Booked:
    """What was booked. `kind`: settled, overrun (above the hold) or late (after it expired)."""

    reservation_id: str | None
    status: str
    kind: str
    cost_usd: str
    tokens: int
    entry_id: str = ""


@dataclass(slots=True)
class Released:
    reservation_id: str
    status: str = "released"
    entry_id: str = ""


@dataclass(slots=True)
class Allocation:
    """A hold that many calls draw from. Only the axes named in `covers` come out of it."""

    allocation_id: str
    status: str
    outcome: Literal["allowed", "warned"]
    component: str
    context_id: str
    tier: str
    task_type: str
    priority: int
    held: Held
    covers: list[str]
    expires_at: str
    warnings: list[Warned]
    policies: Shown


@dataclass(slots=True)
class Checked:
    """Whether the call would be admitted now. Nothing is held.

    `downgraded`: not as asked, but as `instead` says; `denial` is what stopped the call as asked.
    """

    allowed: bool
    outcome: Literal["allowed", "warned", "downgraded", "denied", "unpriced"]
    would_hold: Held | None
    price_version: str | None
    estimated: bool
    warnings: list[Warned]
    policies: Shown
    denial: dict[str, Any] | None = None
    instead: "WouldHold | None" = None


@dataclass(slots=True)
class WouldHold:
    """The model that would take the place of the one asked for, and what it would hold."""

    provider: str
    model: str
    held: Held


@dataclass(slots=True)
class Explanation:
    """Why a call would be admitted or not, policy by policy, and the smallest change needed."""

    outcome: Literal["allowed", "warned", "downgraded", "denied", "unpriced"]
    would_hold: Held | None
    price_version: str | None
    considered: list[Considered]
    smallest_change: str | None
    denial: dict[str, Any] | None = None
    instead: WouldHold | None = None


class Reserve(Wanted, Request[Reservation]):
    """Hold usd, tokens and one call over every matching policy, or be refused by all."""


class Check(Wanted, Request[Checked]):
    """Would this call be admitted? Answers without holding."""


class Explain(Wanted, Request[Explanation]):
    """Every policy looked at, the numbers, and the smallest change that would admit the call."""


class Settle(Request[Booked]):
    """Book the actual usage of a held call. Never refused because of a limit."""

    reservation_id: ReservationId
    usage: RawUsage
    model: Model | None = None
    response_id: ResponseId | None = None
    final: bool = Field(default=True, description="false books a part and keeps the hold open")


class Release(Request[Released]):
    """Give a hold back: the call was not made."""

    reservation_id: ReservationId


class Extend(Request[HoldShown]):
    """Make a hold larger (as much as the policies allow), longer-lived, or both."""

    reservation_id: ReservationId
    usd: Usd | None = None
    tokens: Tokens | None = None
    ttl_s: TtlS | None = Field(default=None, description="new life, counted from now")


class ShowReservation(Request[HoldShown]):
    """One reservation as it stands."""

    reservation_id: ReservationId


class ListReservations(Request[Holds]):
    """Reservations, oldest first."""

    component: Component | None = None
    status: Literal["held", "settled", "released", "expired"] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: Annotated[str, Field(pattern=HOLD_ID)] | None = None


class ListAllocations(Request[Holds]):
    """Allocations, oldest first."""

    component: Component | None = None
    status: Literal["held", "released", "expired"] | None = None
    budget: PolicyName | None = Field(default=None, description="counted by any policy of it")
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: Annotated[str, Field(pattern=HOLD_ID)] | None = None


class Allocate(Request[Allocation]):
    """Hold tokens (and usd, calls) for a context that many calls draw from."""

    component: Component
    context_id: ContextId
    provider: Provider | None = None
    model: Model | None = None
    task_type: TaskType = "default"
    priority: Priority = 5
    tokens: Tokens | None = Field(
        default=None, description="default: by task type and priority, when nothing else is given"
    )
    usd: Usd | None = None
    calls: Annotated[int, Field(ge=0, le=10**9)] | None = None
    ttl_s: TtlS = 86_400
    tags: Tags = Field(default_factory=dict)
    metadata: Metadata = Field(default_factory=dict)


class ShowAllocation(Request[HoldShown]):
    """One allocation as it stands."""

    allocation_id: AllocationId


class ReleaseAllocation(Request[Released]):
    """Give back what is left of an allocation."""

    allocation_id: AllocationId


class ExtendAllocation(Request[HoldShown]):
    """Make an allocation larger (as much as the policies allow), longer-lived, or both."""

    allocation_id: AllocationId
    usd: Usd | None = None
    tokens: Tokens | None = None
    calls: Annotated[int, Field(ge=0, le=10**9)] | None = None
    ttl_s: TtlS | None = Field(default=None, description="new life, counted from now")


class Record(Request[Booked]):
    """Book usage that happened without a hold. Reality is never refused."""

    component: Component
    provider: Provider | None = None
    model: Model
    usage: RawUsage
    task_type: TaskType = "default"
    context_id: ContextId | None = None
    allocation_id: AllocationId | None = None
    response_id: ResponseId | None = None
    tags: Tags = Field(default_factory=dict)
