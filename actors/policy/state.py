"""What the policy engine is rebuilt from: policies, open windows, open holds."""

from dataclasses import dataclass, field
from typing import Any

from actors.policy.counter import Mark
from protocols.period import Window
from protocols.policy.charge import Amounts, Covers
from protocols.policy.policy import Policy


@dataclass(slots=True)
class StoredPolicy:
    policy: Policy
    revision: int
    counting: int
    by: str
    at_ms: int


@dataclass(slots=True)
class StoredWindow:
    id: int
    policy: str
    counting: int
    key: str
    window: Window
    used: Amounts
    crossed: frozenset[Mark] = frozenset()
    """Thresholds that were told."""


@dataclass(slots=True)
class StoredCharge:
    hold: str
    component: str
    windows: tuple[int, ...]
    parent: str | None
    parent_windows: tuple[int, ...]
    covered: Covers
    covers: Covers | None
    held: Amounts
    expires_ms: int


@dataclass(slots=True)
class EngineState:
    policies: list[StoredPolicy] = field(default_factory=list)
    budgets: dict[str, dict[str, Any]] = field(default_factory=dict)
    seeds: dict[str, str] = field(default_factory=dict)
    """Digest of each part of `budget.toml` as it was last applied, by kind and name."""
    windows: list[StoredWindow] = field(default_factory=list)
    charges: list[StoredCharge] = field(default_factory=list)
    next_window: int = 1
