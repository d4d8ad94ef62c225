"""Apollo's `TokenBudgetManager` by its name and signatures, with the daemon behind it."""

import asyncio
import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tekton_budget.apollo.desk import Desk
from tekton_budget.apollo.events import Events
from tekton_budget.apollo.models import (
    BudgetAllocation,
    BudgetPeriod,
    BudgetPolicy,
    BudgetSummary,
    BudgetTier,
    BudgetUsageRecord,
    TaskPriority,
)
from tekton_budget.apollo.rulebook import Rulebook
from tekton_budget.apollo.shelf import Shelf
from tekton_budget.apollo.summary import summarise
from tekton_budget.apollo.tiers import Tiers, size_of
from tekton_budget.client import BudgetClient
from tekton_budget.errors import BudgetError, Denied, Unavailable
from tekton_budget.replies import Balance, Standing
from tekton_budget.zone import local_zone

log = logging.getLogger("tekton_budget.apollo")

RECORDS_KEPT = 1000
Exceeded = tuple[BudgetPolicy, int]
"""A policy and the tokens that were used of it."""


def default_data_dir() -> Path:
    """As Apollo finds it."""
    root = os.environ.get("TEKTON_ROOT") or Path.home()
    data = os.environ.get("TEKTON_DATA_DIR") or Path(root) / ".tekton" / "data"
    return Path(data) / "apollo" / "budget_data"


class TokenBudgetManager(Rulebook):
    """Token budgets by tier and period, and allocations out of them.

    The keyword arguments are new: `client` (one is made otherwise), `books_money` (usage is also
    priced, for whoever has no Rhetor that does it) and `zone` (whose midnight).
    """

    def __init__(
        self,
        data_dir: str | None = None,
        policy_file: str | None = None,
        cleanup_interval: float = 3600.0,
        *,
        client: BudgetClient | None = None,
        books_money: bool = False,
        zone: str | None = None,
    ) -> None:
        home = Path(data_dir) if data_dir else default_data_dir()
        home.mkdir(parents=True, exist_ok=True)
        self.cleanup_interval = cleanup_interval
        self.is_running = False
        self.allocations: dict[str, BudgetAllocation] = {}
        self.usage_records: list[BudgetUsageRecord] = []
        self._client = client or BudgetClient("apollo")
        self._zone = zone or local_zone()
        path = Path(policy_file) if policy_file else home / "budget_policies.json"
        self._shelf = Shelf(self._client, path, self._zone)
        self._desk = Desk(self._client, books_money=books_money)
        self._events = Events()
        self._tiers = Tiers()
        self._met = False
        self._cleanup: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Pick up what the daemon still holds of ours, and sweep from time to time."""
        if self.is_running:
            log.warning("the token budget manager runs already")
            return
        self.is_running = True
        with suppress(BudgetError):
            await asyncio.to_thread(self._meet)
        self._cleanup = asyncio.get_running_loop().create_task(self._sweep_on())

    async def stop(self) -> None:
        """End the sweeping and write the policies. What is allocated stays allocated."""
        self.is_running = False
        if self._cleanup is not None:
            self._cleanup.cancel()
            with suppress(asyncio.CancelledError):
                await self._cleanup
            self._cleanup = None
        self._shelf.save()
        self._client.close()

    def _meet(self) -> None:
        """The first word with the daemon: allocations of an earlier life are ours again."""
        self._shelf.sync()
        if not self._met:
            for allocation in self._desk.still_open():
                self.allocations.setdefault(allocation.context_id, allocation)
            self._met = True

    async def allocate_budget(
        self,
        context_id: str,
        component: str,
        task_type: str = "default",
        provider: str | None = None,
        model: str | None = None,
        priority: int = TaskPriority.NORMAL,
        token_count: int | None = None,
        expiration: datetime | None = None,
        metadata: dict[str, Any] | None = None,
        *,
        requested_tokens: int | None = None,
    ) -> BudgetAllocation | None:
        """Set tokens aside; None when a policy denies it."""
        size = requested_tokens if token_count is None else token_count
        wanted = BudgetAllocation(
            context_id=context_id, component=component, task_type=task_type, provider=provider,
            model=model, priority=int(priority),
            tier=self._tiers.of_call(component, provider, model),
            tokens_allocated=size_of(task_type, int(priority)) if size is None else max(0, size),
            expiration_time=expiration, metadata=metadata or {},
        )  # fmt: skip
        made, exceeded = await asyncio.to_thread(self._open, wanted)
        for policy, used in exceeded:
            self._events.fire("on_budget_exceeded", policy, used)
        if made:
            self._events.fire("on_allocation_created", wanted)
        return wanted if made else None

    def _open(self, wanted: BudgetAllocation) -> tuple[bool, list[Exceeded]]:
        """Whether it is set aside now, and the policies that are passed."""
        try:
            self._meet()
        except Unavailable:
            if self._client.when_away == "deny":
                raise
        earlier = self.allocations.pop(wanted.context_id, None)
        if earlier is not None:
            self._desk.close(earlier)
        try:
            held = self._desk.open(wanted)
        except Denied as refusal:
            policy = self._shelf.of_name(str(refusal.facts.get("policy")))
            return False, [] if policy is None else [(policy, int(refusal.facts["used"]))]
        self.allocations[wanted.context_id] = wanted
        return True, self._passed(held.policies if held is not None else ())

    def _passed(self, standings: Iterable[Standing | Balance]) -> list[Exceeded]:
        """Of our policies, those whose usage is above the limit."""
        found = [
            (self._shelf.of_name(at.policy), int(at.used)) for at in standings if at.used > at.limit
        ]
        return [(policy, used) for policy, used in found if policy is not None]

    def record_usage(
        self,
        context_id: str,
        tokens: int,
        usage_type: str = "total",
        operation_id: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> int:
        """Book tokens of a context, all of them; how many its allocation was there to count."""
        allocation = self.allocations.get(context_id)
        if allocation is None or tokens <= 0:
            return 0
        counted = allocation.record_usage(tokens)
        self._desk.book(allocation, tokens, usage_type)
        self.usage_records.append(
            BudgetUsageRecord(
                allocation_id=allocation.allocation_id, context_id=context_id,
                component=allocation.component, provider=allocation.provider,
                model=allocation.model, task_type=allocation.task_type, tokens_used=tokens,
                usage_type=usage_type, operation_id=operation_id, metadata=metadata or {},
            )
        )  # fmt: skip
        del self.usage_records[:-RECORDS_KEPT]
        if self._events.heard("on_budget_exceeded"):
            self._tell_passed()
        self._events.fire("on_allocation_updated", allocation)
        return counted

    def _tell_passed(self) -> None:
        try:
            rows = list(self._client.balances())
        except BudgetError as error:
            log.warning("where the policies stand cannot be seen: %s", error)
            return
        for policy, used in self._passed(rows):
            self._events.fire("on_budget_exceeded", policy, used)

    def get_allocation(self, context_id: str) -> BudgetAllocation | None:
        return self.allocations.get(context_id)

    def update_allocation(
        self,
        context_id: str,
        additional_tokens: int | None = None,
        extend_expiration: timedelta | None = None,
        is_active: bool | None = None,  # noqa: FBT001  # Apollo's signature
    ) -> BudgetAllocation | None:
        """Make it larger or longer-lived, or end it. More than a policy allows changes nothing."""
        allocation = self.allocations.get(context_id)
        if allocation is None:
            return None
        more = max(0, additional_tokens or 0)
        before = allocation.expiration_time
        if extend_expiration is not None and before is not None:
            allocation.expiration_time = before + extend_expiration
        if more or extend_expiration is not None:
            try:
                self._desk.extend(allocation, more)
            except BudgetError as refusal:
                log.warning("the allocation of %s stays as it is: %s", context_id, refusal)
                allocation.expiration_time, more = before, 0
        allocation.tokens_allocated += more
        if is_active is not None:
            allocation.is_active = is_active
            if not is_active:
                self._desk.close(allocation)
        self._events.fire("on_allocation_updated", allocation)
        return allocation

    def get_budget_summary(
        self,
        tier: BudgetTier | str | None = None,
        period: BudgetPeriod | str = BudgetPeriod.DAILY,
        component: str | None = None,
        task_type: str | None = None,
    ) -> list[BudgetSummary]:
        """One for each tier that has a policy in force for this period."""
        tiers = [one.value for one in BudgetTier] if tier is None else [BudgetTier(tier).value]
        of_period = BudgetPeriod(period).value
        policies = [
            self._shelf.most_specific(one, of_period, component, task_type) for one in tiers
        ]
        allocations = list(self.allocations.values())
        return [
            summarise(self._client, policy, allocations, component, task_type, self._zone)
            for policy in policies
            if policy is not None
        ]

    async def _sweep_on(self) -> None:
        while True:
            await asyncio.sleep(self.cleanup_interval)
            for allocation in await asyncio.to_thread(self._sweep):
                self._events.fire("on_allocation_expired", allocation)

    def _sweep(self) -> list[BudgetAllocation]:
        """Let go of what has expired; what lives on is kept alive in the daemon."""
        expired = [one for one in self.allocations.values() if one.is_expired]
        for one in expired:
            self._desk.close(one)
            self.allocations.pop(one.context_id, None)
        for one in self.allocations.values():
            if one.is_active:
                with suppress(BudgetError):
                    self._desk.extend(one, 0)
        return expired
