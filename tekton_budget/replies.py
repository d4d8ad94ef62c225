"""The daemon's answers as typed values. USD are `Decimal`; what a newer daemon adds is ignored."""

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Amounts:
    """USD, tokens and calls."""

    usd: Decimal = Decimal(0)
    tokens: int = 0
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open, RFC 3339 UTC; `ends` is None for one that never ends."""

    starts: str
    ends: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """One policy on one axis. Figures are `Decimal` on the axis usd, else whole."""

    policy: str
    axis: str
    limit: Decimal
    used: Decimal
    held: Decimal
    left: Decimal
    window: Window


@dataclass(frozen=True, slots=True)
class Warned:
    """A threshold that was reached."""

    policy: str
    axis: str
    threshold: float
    detail: str


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is held for one call. `status` is `unbacked` when the daemon was away."""

    reservation_id: str
    status: str
    outcome: str
    component: str
    model: str
    provider: str = ""
    held: Amounts = Amounts()
    price_version: str = ""
    estimated: bool = False
    expires_at: str = ""
    warnings: tuple[Warned, ...] = ()
    policies: tuple[Standing, ...] = ()

    @property
    def backed(self) -> bool:
        """Whether the daemon knows of it."""
        return bool(self.reservation_id)


@dataclass(frozen=True, slots=True)
class Booked:
    """What was booked: `kind` is settled, overrun, late, recorded, queued or dropped.

    `cost_usd` is None where only the daemon will know it.
    """

    status: str
    kind: str
    reservation_id: str | None = None
    cost_usd: Decimal | None = None
    tokens: int = 0
    entry_id: str = ""


@dataclass(frozen=True, slots=True)
class Released:
    reservation_id: str
    status: str = "released"
    entry_id: str = ""


@dataclass(frozen=True, slots=True)
class HoldShown:
    """A reservation or allocation as it stands: held, settled, released or expired."""

    id: str
    status: str
    component: str
    provider: str
    model: str
    task_type: str
    context_id: str | None
    held: Amounts
    spent: Amounts
    expires_at: str
    allocation_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Holds:
    items: tuple[HoldShown, ...] = ()
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Allocation:
    """What is set aside for a context that many calls draw from."""

    allocation_id: str
    status: str
    outcome: str
    component: str
    context_id: str
    tier: str
    task_type: str
    priority: int
    held: Amounts
    covers: tuple[str, ...]
    expires_at: str
    warnings: tuple[Warned, ...] = ()
    policies: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether a call would be admitted now."""

    allowed: bool
    outcome: str
    would_hold: Amounts | None = None
    price_version: str | None = None
    estimated: bool = False
    warnings: tuple[Warned, ...] = ()
    policies: tuple[Standing, ...] = ()
    denial: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PolicyShown:
    """A policy as it stands, who set it and when."""

    policy: dict[str, Any]
    revision: int
    set_by: str
    set_at: str


@dataclass(frozen=True, slots=True)
class Policies:
    items: tuple[PolicyShown, ...] = ()
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """One counter on one axis."""

    policy: str
    axis: str
    limit: Decimal
    used: Decimal
    held: Decimal
    left: Decimal
    window: Window
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Balances:
    items: tuple[Balance, ...] = ()
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """What a usage costs at the prices known now."""

    cost_usd: Decimal
    price_version: str
    lines: tuple[dict[str, Any], ...] = ()
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal; money in its body is in nano-dollars."""

    entry_id: str
    seq: int
    at: str
    kind: str
    component: str
    subject: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entries:
    items: tuple[Entry, ...] = ()
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums of a report. Input is what came from no cache."""

    cost_usd: Decimal
    tokens: int
    input_tokens: int
    output_tokens: int
    calls: int
    denied: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One group, in one piece of time if the report is cut into such."""

    group: dict[str, str | None]
    figures: Figures
    starts: str | None = None
    ends: str | None = None


@dataclass(frozen=True, slots=True)
class SpendReport:
    """What was spent. The total is of everything, each call once."""

    since: str
    until: str
    total: Figures
    items: tuple[ReportRow, ...] = ()


@cache
def _parts(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind)}


def read(kind: type[R], document: Mapping[str, Any]) -> R:
    """An answer of this kind. `dict` takes it as it is."""
    if not is_dataclass(kind):
        return kind(document)  # type: ignore[call-arg]  # dict
    parts = _parts(kind)
    found = {name: _value(parts[name], document[name]) for name in parts if name in document}
    return kind(**found)


def _value(hint: Any, told: Any) -> Any:
    if told is None or hint is Any:
        return told
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _value(next(one for one in inside if one is not type(None)), told)
    if origin is tuple:
        return tuple(_value(inside[0], one) for one in told)
    if hint is Decimal:
        return Decimal(str(told))
    return read(hint, told) if isinstance(hint, type) and is_dataclass(hint) else told
