"""What ledgers and the policy engine say to each other on the path of a call.

Plain slotted values: they are made thousands of times a second and never leave the daemon.
Every `memo` is the asker's own note, given back untouched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from protocols.errors import BudgetError
from protocols.prices import PriceVersion
from protocols.usage import Usage

Axis = Literal["usd", "tokens", "calls"]
AXES: tuple[Axis, Axis, Axis] = ("usd", "tokens", "calls")


Crossed = list[dict[str, Any]]
"""Thresholds that were reached just now, as an entry has them."""


class Amounts(NamedTuple):
    """Nano-dollars, tokens, calls."""

    usd: int = 0
    tokens: int = 0
    calls: int = 0


ZERO = Amounts()

Covers = tuple[bool, bool, bool]
"""For each axis: does it come out of an allocation?"""
NOTHING: Covers = (False, False, False)

ALLOCATION = "allocation:"
"""Before an allocation's id, in the place of a policy's name: it had too little left."""


class Subject(NamedTuple):
    """The facts of a call that policies look at. `tags` are sorted pairs."""

    component: str
    provider: str
    model: str
    tier: str
    task_type: str
    context_id: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


Kind = tuple[str, str, str]
"""Provider, model and tier: what differs between the models that could serve one call."""


@dataclass(slots=True)
class Admit:
    """May this be held? → `Admitted` or `Refused`."""

    hold: str
    subject: Subject
    amounts: Amounts
    priority: int
    ttl_s: float
    estimate: Usage | None
    """What the call is thought to use: decides what would have fitted. None for a sum given."""
    version: PriceVersion | None
    priced: bool
    """False when the amount is an envelope because no trusted price is known."""
    covers: Covers | None
    """Given for an allocation: the axes that its draws come out of."""
    parent: str | None
    """The allocation this call draws from."""
    memo: Any


@dataclass(slots=True)
class Weigh:
    """What would become of this? Holds nothing. → `Weighed`."""

    admit: Admit
    explain: bool = False
    """Whether to tell of every policy."""


@dataclass(slots=True)
class Post:
    """Book what was used, against a hold or without one. Never refused. → `Posted`."""

    hold: str | None
    subject: Subject
    amounts: Amounts
    final: bool
    places: "Places"
    """Where the hold was admitted; for usage without a hold only its `parent` is looked at."""
    memo: Any


@dataclass(slots=True)
class Return:
    """Give a hold back unused. → `Returned`, or `Refused` if it has just expired."""

    hold: str
    component: str
    memo: Any


@dataclass(slots=True)
class Enlarge:
    """Make a hold larger, longer-lived, or both. → `Enlarged` or `Refused`."""

    hold: str
    component: str
    amounts: Amounts
    priority: int
    ttl_s: float | None
    memo: Any


@dataclass(slots=True)
class Places:
    """Where a charge sits: its own windows, and its allocation's for the covered axes."""

    windows: tuple[int, ...] = ()
    parent: str | None = None
    parent_windows: tuple[int, ...] = ()
    covered: Covers = NOTHING
    parent_held: Amounts | None = None
    """What the allocation still holds after this; None without a living allocation."""
    turn: int = 0
    """The place of this decision among all: entries may be written in another order."""


@dataclass(slots=True)
class Admitted:
    """Held in every matching window."""

    places: Places
    standings: "Sequence[Standing]"
    warnings: "list[Warned]"
    memo: Any
    deadline: float
    """When it lapses, on the monotonic clock: from when it was held, not from when it was asked."""
    crossed: Crossed | None = None


@dataclass(slots=True)
class Refused:
    """Held nowhere. `error` has the numbers; `downgrade`: a cheaper model is wanted instead."""

    error: BudgetError
    memo: Any
    downgrade: bool = False
    turn: int = 0


@dataclass(slots=True)
class Weighed:
    """The answer to `Weigh`; `error` when it would be refused."""

    standings: "Sequence[Standing]"
    warnings: "list[Warned]"
    error: BudgetError | None
    considered: "list[Considered]"
    memo: Any
    downgrade: bool = False


@dataclass(slots=True)
class Posted:
    """Booked. `kind` says how it met its hold; `held` is what the hold still holds."""

    kind: Literal["settled", "overrun", "late"]
    places: Places
    held: Amounts
    memo: Any
    crossed: Crossed | None = None


@dataclass(slots=True)
class Returned:
    """Given back."""

    places: Places
    memo: Any


@dataclass(slots=True)
class Enlarged:
    """Held in the same windows as before."""

    held: Amounts
    places: Places
    memo: Any
    crossed: Crossed | None = None


@dataclass(slots=True)
class Lapsed:
    """The hold passed its deadline and counts no more."""

    hold: str
    places: Places


@dataclass(slots=True)
class WindowShown:
    """Half-open, RFC 3339 UTC."""

    starts: str
    ends: str | None
    """None for a window that never ends."""


@dataclass(slots=True)
class Standing:
    """One policy on one axis, after this decision. USD are decimal strings."""

    policy: str
    axis: str
    limit: str | int
    used: str | int
    held: str | int
    left: str | int
    window: WindowShown


@dataclass(slots=True)
class Warned:
    """A threshold that this decision reached or found passed."""

    policy: str
    axis: str
    threshold: float
    detail: str


@dataclass(slots=True)
class Considered:
    """One policy that was looked at, whether it matches, and what it says on each axis."""

    policy: str
    matched: bool
    why_not: str | None
    enforce: str
    verdict: str
    standings: list[Standing]
