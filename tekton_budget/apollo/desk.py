"""What Apollo's allocations are in the daemon: asked for, extended, used, given back."""

import logging
from datetime import datetime, timedelta
from typing import Any

from tekton_budget.apollo.models import BudgetAllocation, now_like
from tekton_budget.apollo.rule import TIER
from tekton_budget.client import BudgetClient
from tekton_budget.details import Set, Used
from tekton_budget.errors import BudgetError, Unavailable, Unpriced
from tekton_budget.names import name_of
from tekton_budget.replies import Allocation, HoldShown

log = logging.getLogger("tekton_budget.apollo")

LIFE_MAX_S = 86_400
"""As long as the daemon lets a hold live at a time; one that lives longer is extended."""
TOKENS_ONLY = "local"
"""The provider whose calls the daemon takes for free: Apollo counts tokens, not money."""
UNKNOWN = "unknown"
KNOWN_BY = "apollo"


class Desk:
    """Apollo's side of the daemon's allocations."""

    def __init__(self, client: BudgetClient, *, books_money: bool) -> None:
        self._client = client
        self._books_money = books_money

    def open(self, wanted: BudgetAllocation) -> Allocation | None:
        """None when calls go on without the daemon. Raises `Denied` and `Unavailable`."""
        asked: Set = {
            "component": name_of(wanted.component),
            "task_type": name_of(wanted.task_type),
            "priority": wanted.priority,
            "tokens": wanted.tokens_allocated,
            "ttl_s": self._life_s(wanted),
            "tags": {TIER: wanted.tier},
            "metadata": _noted(wanted),
        }
        named: Set = {}
        if wanted.provider:
            named["provider"] = name_of(wanted.provider)
        if wanted.model:
            named["model"] = name_of(wanted.model)
        try:
            held = self._allocate(wanted, {**asked, **named})
        except Unavailable as error:
            if self._client.when_away == "deny":
                raise
            log.warning("%s: the allocation is not backed by anything", error)
            return None
        wanted.allocation_id = held.allocation_id
        return held

    def _allocate(self, wanted: BudgetAllocation, asked: Set) -> Allocation:
        where = name_of(wanted.context_id)
        try:
            return self._client.allocate(where, **asked)
        except Unpriced:  # several sell a model of this name: tokens need no price
            nameless = {name: value for name, value in asked.items() if name != "model"}
            return self._client.allocate(where, **nameless)  # type: ignore[arg-type]

    def _life_s(self, wanted: BudgetAllocation) -> int:
        if wanted.expiration_time is None:
            return LIFE_MAX_S
        left = (wanted.expiration_time - now_like(wanted.expiration_time)).total_seconds()
        return max(1, min(LIFE_MAX_S, round(left)))

    def book(self, allocation: BudgetAllocation, tokens: int, usage_type: str) -> None:
        """Tokens whose kind nobody says cost what output costs, where money is booked at all."""
        kind = "input" if usage_type == "input" or not self._books_money else "output"
        if usage_type == "output":
            kind = "output"
        used: Used = {
            "component": name_of(allocation.component),
            "task_type": name_of(allocation.task_type),
            "context_id": name_of(allocation.context_id),
            "tags": {TIER: allocation.tier},
        }
        if not self._books_money:
            used["provider"] = TOKENS_ONLY
        elif allocation.provider:
            used["provider"] = name_of(allocation.provider)
        if backed(allocation):
            used["allocation_id"] = allocation.allocation_id
        self._client.record(name_of(allocation.model or UNKNOWN), {kind: tokens}, **used)

    def extend(self, allocation: BudgetAllocation, tokens: int) -> None:
        """More tokens, or a longer life, or both. Raises `Denied`."""
        if not backed(allocation):
            return
        self._client.extend_allocation(
            allocation.allocation_id, tokens=tokens, ttl_s=self._life_s(allocation)
        )

    def close(self, allocation: BudgetAllocation) -> None:
        """Give back what is left; what has ended by itself is given back already."""
        if not backed(allocation):
            return
        try:
            self._client.release_allocation(allocation.allocation_id)
        except BudgetError as error:
            log.info("%s is not released: %s", allocation.allocation_id, error)

    def still_open(self) -> list[BudgetAllocation]:
        """What the daemon holds of ours from an earlier life of this program."""
        return [
            _restored(shown)
            for shown in self._client.allocations(status="held")
            if KNOWN_BY in shown.metadata
        ]


def backed(allocation: BudgetAllocation) -> bool:
    return allocation.allocation_id.startswith("alc_")


def _noted(wanted: BudgetAllocation) -> dict[str, str | int | bool | None]:
    """What only Apollo knows of an allocation, kept with it."""
    expires, made = wanted.expiration_time, wanted.creation_time
    return {
        KNOWN_BY: wanted.context_id, "component": wanted.component, "tier": wanted.tier,
        "provider": wanted.provider, "model": wanted.model, "task_type": wanted.task_type,
        "priority": wanted.priority, "creation_time": made.isoformat(),
        "expiration_time": None if expires is None else expires.isoformat(),
    }  # fmt: skip


def _restored(shown: HoldShown) -> BudgetAllocation:
    told: dict[str, Any] = dict(shown.metadata)
    told["context_id"] = told.pop(KNOWN_BY)
    if told["expiration_time"] is None:
        told["expiration_time"] = datetime.now() + timedelta(days=1)
    return BudgetAllocation(
        **told,
        allocation_id=shown.id,
        tokens_allocated=shown.held.tokens + shown.spent.tokens,
        tokens_used=shown.spent.tokens,
        is_active=shown.held.tokens > 0,
    )
