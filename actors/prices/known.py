"""What the price monitor keeps: versions with their dates, and cases that wait for a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from protocols.prices.kept import from_body, to_body
from protocols.prices.names import model_name
from protocols.prices.version import PriceVersion

Key = tuple[str, str]
"""Provider and model, spelt as the book compares them."""

PACKAGE = "the package"


def key_of(provider: str, model: str) -> Key:
    return provider, model_name(model)


@dataclass(frozen=True, slots=True)
class Known:
    """A version, and from when on it is in force: from `valid_from_ms`, once it was known."""

    version: PriceVersion
    state: str
    """embedded, agreed, single, approved, set or rolled back."""
    valid_from_ms: int = 0
    known_ms: int = 0
    by: str = PACKAGE
    note: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    """Source → sha256 of the file that said so."""

    @property
    def key(self) -> Key:
        return key_of(self.version.provider, self.version.model)

    @property
    def from_ms(self) -> int:
        """When it takes effect."""
        return max(self.valid_from_ms, self.known_ms)

    def body(self) -> dict[str, Any]:
        return {
            "id": self.version.id,
            "version": to_body(self.version),
            "state": self.state,
            "valid_from_ms": self.valid_from_ms,
            "by": self.by,
            "note": self.note,
            "sources": dict(self.sources),
        }


def read_known(body: Mapping[str, Any], known_ms: int) -> Known:
    return Known(
        from_body(body["id"], body["version"]),
        body["state"],
        body["valid_from_ms"],
        known_ms,
        body["by"],
        body["note"],
        body["sources"],
    )


@dataclass(slots=True)
class Case:
    """A price that was said and is not applied. `state`: open, or rejected by a person."""

    proposed: PriceVersion
    guard: str
    detail: str
    severity: str
    since_ms: int
    says: dict[str, dict[str, str]]
    sources: dict[str, str]
    state: str = "open"

    @property
    def key(self) -> Key:
        return key_of(self.proposed.provider, self.proposed.model)

    @property
    def name(self) -> str:
        return f"{self.proposed.provider}/{self.proposed.model}"

    def same_as(self, other: "Case") -> bool:
        """Whether it is about the same price and the same doubt; who says it may have changed."""
        mine, theirs = to_body(self.proposed), to_body(other.proposed)
        mine.pop("source"), theirs.pop("source")
        return mine == theirs and self.guard == other.guard

    def body(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "id": self.proposed.id,
            "proposed": to_body(self.proposed),
            "guard": self.guard,
            "detail": self.detail,
            "severity": self.severity,
            "since_ms": self.since_ms,
            "says": self.says,
            "sources": self.sources,
            "state": self.state,
        }


def read_case(body: Mapping[str, Any]) -> Case:
    return Case(
        from_body(body["id"], body["proposed"]),
        body["guard"],
        body["detail"],
        body["severity"],
        body["since_ms"],
        body["says"],
        body["sources"],
        body["state"],
    )


@dataclass(slots=True)
class PriceState:
    """What the journal has of prices, in the order it was written."""

    known: list[Known] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    pins: list[Key] = field(default_factory=list)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Source → {sha256 in use, etag, held sha256 and why}."""
