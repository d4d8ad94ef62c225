"""What may be said with a verb beside what it must be told: its keywords."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypedDict


class Wanted(TypedDict, total=False):
    """What may be said of a call about to be made, beside its model."""

    component: str
    provider: str
    task_type: str
    priority: int
    context_id: str
    allocation_id: str
    input_tokens: int
    input_text: str
    max_output_tokens: int
    usd: str | Decimal
    ttl_s: int
    tags: Mapping[str, str]
    metadata: Mapping[str, str | int | bool | None]


class Set(TypedDict, total=False):
    """What may be said of an allocation, beside its context."""

    component: str
    provider: str
    model: str
    task_type: str
    priority: int
    tokens: int
    usd: str | Decimal
    calls: int
    ttl_s: int
    tags: Mapping[str, str]
    metadata: Mapping[str, str | int | bool | None]


class Used(TypedDict, total=False):
    """What may be said of usage that nobody held for, beside model and counts."""

    component: str
    provider: str
    task_type: str
    context_id: str
    allocation_id: str
    response_id: str | None
    tags: Mapping[str, str]


class Ending(TypedDict, total=False):
    """What may be said of a settle, beside its usage."""

    final: bool
    response_id: str | None
    model: str | None


class More(TypedDict, total=False):
    """By how much a hold or an allocation is to grow; `ttl_s` counts from now."""

    usd: str | Decimal
    tokens: int
    calls: int
    ttl_s: int


class Rule(TypedDict, total=False):
    """A policy, beside its name, limit and period."""

    budget: str
    match: Mapping[str, Any]
    each: str
    zone: str
    enforce: str
    warn_at: list[float]
    on_limit: str
    override: Mapping[str, Any]
    unpriced: str
    why: str


class Report(TypedDict, total=False):
    """Which calls a report is of, of what time, and how it is grouped."""

    span: str
    since: str
    until: str
    zone: str
    every: str
    group_by: list[str]
    component: str | None
    provider: str | None
    model: str | None
    tier: str | None
    task_type: str | None
    policy: str
    budget: str
    tags: Mapping[str, str]
    order: str
    limit: int
