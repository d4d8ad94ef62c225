"""What an import would bring in: rows, policies, and what is refused, each with where it stands."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from protocols.wanted import TOKENS_MAX
from tekton_budget.names import name_of
from tekton_budget.policy import Made

PLACES = Decimal("0.000000001")
USD_MAX = Decimal(1_000_000)
UNKNOWN = "unknown"


class Refused(ValueError):
    """A row that cannot come in: the field, and what is wrong with it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.name = name
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Refusal:
    """Where it stands, the field, and what is wrong with it."""

    place: str
    field: str
    problem: str


@dataclass(slots=True)
class Plan:
    """One source, read whole. `usd` and `tokens` are of the rows that can come in."""

    kind: str
    source: Path
    zone: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    policies: list[Made] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    twice: int = 0
    """Rows that say the same as one before them."""
    notes: list[str] = field(default_factory=list)
    _keys: set[str] = field(default_factory=set)

    @property
    def import_id(self) -> str:
        """The same for the same source, so that an import that broke off goes on under its name."""
        told = f"{self.kind} {self.source}"
        return f"imp_{hashlib.sha256(told.encode()).hexdigest()[:16]}"

    @property
    def usd(self) -> Decimal:
        return sum((Decimal(row["usd"]) for row in self.rows), Decimal(0))

    @property
    def tokens(self) -> int:
        return sum(row["input_tokens"] + row["output_tokens"] for row in self.rows)

    def add(self, row: dict[str, Any]) -> None:
        if row["key"] in self._keys:
            self.twice += 1
            return
        self._keys.add(row["key"])
        self.rows.append(row)

    def refuse(self, place: str, refused: Refused) -> None:
        self.refused.append(Refusal(place, refused.name, refused.problem))


def key_of(*told: Any) -> str:
    """A digest of all that a row says: what is the same is the same row, wherever it lies."""
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()[:32]


def name(text: Any) -> str:
    return name_of(str(text)) if text else UNKNOWN


def tokens(field_name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(field_name, f"is {value!r}, not a whole number")
    if not 0 <= value <= TOKENS_MAX:
        raise Refused(field_name, f"is {value}, not between 0 and {TOKENS_MAX}")
    return value


def usd(field_name: str, value: Any) -> str:
    """A float's own digits, to the nearest nano-dollar."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise Refused(field_name, f"is {value!r}, not an amount") from None
    if not amount.is_finite() or not 0 <= amount <= USD_MAX:
        raise Refused(field_name, f"is {value}, not between 0 and {USD_MAX} USD")
    return format(amount.quantize(PLACES, ROUND_HALF_EVEN), "f")


def instant(field_name: str, value: Any, zone: ZoneInfo) -> str:
    """A local time without a zone, as one with; one that has a zone keeps it."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise Refused(field_name, f"is {value!r}, not a time such as 2025-06-16T09:30:00") from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).isoformat()


def only(field_name: str, value: Any, known: Sequence[str]) -> str:
    if value not in known:
        raise Refused(field_name, f"is {value!r}, not one of {', '.join(known)}")
    return str(value)
