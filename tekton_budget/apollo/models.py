"""Apollo's budget models, by the same names, fields and defaults."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Any, ClassVar

from tekton_budget.apollo.model import Model

LIFE = timedelta(hours=24)
PRIORITIES = range(1, 11)


class BudgetTier(StrEnum):
    LOCAL_LIGHTWEIGHT = "local_lightweight"
    LOCAL_MIDWEIGHT = "local_midweight"
    REMOTE_HEAVYWEIGHT = "remote_heavyweight"


class BudgetPeriod(StrEnum):
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    PER_SESSION = "per_session"
    PER_TASK = "per_task"


class BudgetPolicyType(StrEnum):
    IGNORE = "ignore"
    WARN = "warn"
    SOFT_LIMIT = "soft_limit"
    HARD_LIMIT = "hard_limit"


class TaskPriority(int, Enum):
    LOW = 1
    NORMAL = 5
    HIGH = 8
    CRITICAL = 10


def new_id() -> str:
    return str(uuid.uuid4())


def now_like(at: datetime | None) -> datetime:
    """Now, in the zone of another time: with one if that has one, without if not."""
    return datetime.now(at.tzinfo if at is not None else None)


def passed(at: datetime | None) -> bool:
    return at is not None and now_like(at) >= at


class BudgetPolicy(Model):
    """At most `limit` tokens per period for a tier, and perhaps a component or task type of it."""

    kinds: ClassVar[Mapping[str, type[Enum]]] = {
        "type": BudgetPolicyType, "period": BudgetPeriod, "tier": BudgetTier,
    }  # fmt: skip
    made: ClassVar[Mapping[str, Callable[[], Any]]] = {
        "policy_id": new_id, "start_date": datetime.now, "metadata": dict,
    }  # fmt: skip

    policy_id: str
    type: str
    period: str
    tier: str
    component: str | None = None
    task_type: str | None = None
    limit: int
    warning_threshold: float = 0.8
    action_threshold: float = 0.95
    start_date: datetime
    end_date: datetime | None = None
    enabled: bool = True
    metadata: dict[str, Any]

    @property
    def in_force(self) -> bool:
        begun = now_like(self.start_date) >= self.start_date
        return self.enabled and begun and not passed(self.end_date)


class BudgetAllocation(Model):
    """Tokens set aside for a context."""

    kinds: ClassVar[Mapping[str, type[Enum]]] = {"tier": BudgetTier}
    made: ClassVar[Mapping[str, Callable[[], Any]]] = {
        "allocation_id": new_id, "creation_time": datetime.now, "metadata": dict,
    }  # fmt: skip

    allocation_id: str
    context_id: str
    component: str
    tier: str
    provider: str | None = None
    model: str | None = None
    task_type: str
    priority: int = 5
    tokens_allocated: int
    tokens_used: int = 0
    creation_time: datetime
    expiration_time: datetime | None = None
    is_active: bool = True
    metadata: dict[str, Any]

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        if self.priority not in PRIORITIES:
            raise ValueError(f"BudgetAllocation.priority: must be 1 to 10, not {self.priority}")
        if given.keys() & {"expiration_time", "expirationTime"} and self.expiration_time is None:
            self.expiration_time = self.creation_time + LIFE

    @property
    def remaining_tokens(self) -> int:
        return max(0, self.tokens_allocated - self.tokens_used)

    @property
    def usage_percentage(self) -> float:
        """A fraction, 0 to 1 and above; 0.0 of nothing."""
        return self.tokens_used / self.tokens_allocated if self.tokens_allocated > 0 else 0.0

    @property
    def is_expired(self) -> bool:
        return passed(self.expiration_time)

    @property
    def allocated_tokens(self) -> int:
        """As Apollo's HTTP route reads it."""
        return self.tokens_allocated

    @property
    def expiration(self) -> datetime | None:
        """As Apollo's HTTP route reads it."""
        return self.expiration_time

    def record_usage(self, tokens: int) -> int:
        """Count tokens, all of them; an allocation that is used up is no longer active."""
        if tokens <= 0 or not self.is_active or self.is_expired:
            return 0
        self.tokens_used += tokens
        self.is_active = self.remaining_tokens > 0
        return tokens


class BudgetUsageRecord(Model):
    """Tokens that were used."""

    made: ClassVar[Mapping[str, Callable[[], Any]]] = {
        "record_id": new_id, "timestamp": datetime.now, "metadata": dict,
    }  # fmt: skip

    record_id: str
    allocation_id: str
    context_id: str
    component: str
    provider: str | None = None
    model: str | None = None
    task_type: str
    tokens_used: int
    usage_type: str
    timestamp: datetime
    operation_id: str | None = None
    metadata: dict[str, Any]


class BudgetSummary(Model):
    """Where a tier stands in a period."""

    kinds: ClassVar[Mapping[str, type[Enum]]] = {"period": BudgetPeriod, "tier": BudgetTier}

    period: str
    tier: str
    component: str | None = None
    task_type: str | None = None
    total_allocated: int
    total_used: int
    limit: int
    usage_percentage: float
    active_allocations: int
    start_time: datetime
    end_time: datetime | None = None

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.total_used)

    @property
    def is_exceeded(self) -> bool:
        return self.total_used > self.limit
