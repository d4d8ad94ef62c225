"""Where a tier stands in a period, as Apollo shows it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from tekton_budget.apollo.models import (
    BudgetAllocation,
    BudgetPeriod,
    BudgetPolicy,
    BudgetSummary,
)
from tekton_budget.apollo.rule import TIER, name_in_daemon
from tekton_budget.client import BudgetClient
from tekton_budget.names import name_of


class Span(NamedTuple):
    """Local and naive, as Apollo's times are."""

    starts: datetime
    ends: datetime | None


def span_of(period: str, now: datetime) -> Span:
    """The period that is running now; a session's or task's has no beginning of its own."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    match BudgetPeriod(period):
        case BudgetPeriod.HOURLY:
            return Span(hour, hour + timedelta(hours=1))
        case BudgetPeriod.DAILY:
            return Span(day, day + timedelta(days=1))
        case BudgetPeriod.WEEKLY:
            monday = day - timedelta(days=day.weekday())
            return Span(monday, monday + timedelta(days=7))
        case BudgetPeriod.MONTHLY:
            first = day.replace(day=1)
            return Span(first, (first + timedelta(days=32)).replace(day=1))
        case BudgetPeriod.PER_SESSION | BudgetPeriod.PER_TASK:
            return Span(now, None)


def summarise(
    client: BudgetClient,
    policy: BudgetPolicy,
    allocations: Iterable[BudgetAllocation],
    component: str | None,
    task_type: str | None,
    zone: str,
) -> BudgetSummary:
    """One policy against what the daemon has booked."""
    now = datetime.now()
    span = span_of(policy.period, now)
    open_ones = [
        one
        for one in allocations
        if one.is_active
        and one.tier == policy.tier
        and component in (None, one.component)
        and task_type in (None, one.task_type)
    ]
    narrower = (component, task_type) != (policy.component, policy.task_type)
    if narrower and span.ends is not None:
        used = _reported(client, policy.tier, span, component, task_type, zone)
    else:
        used = _counted(client, policy)
    return BudgetSummary(
        period=policy.period, tier=policy.tier, component=component, task_type=task_type,
        total_allocated=sum(one.tokens_allocated for one in open_ones), total_used=used,
        limit=policy.limit, usage_percentage=used / policy.limit if policy.limit else 0.0,
        active_allocations=len(open_ones), start_time=span.starts, end_time=span.ends,
    )  # fmt: skip


def _counted(client: BudgetClient, policy: BudgetPolicy) -> int:
    """What the policy's own counters have; the fullest, where each session has one."""
    rows = client.balances(policy=name_in_daemon(policy))
    return max((int(row.used) for row in rows if row.axis == "tokens"), default=0)


def _reported(
    client: BudgetClient, tier: str, span: Span, component: str | None, task_type: str | None,
    zone: str,
) -> int:  # fmt: skip
    report = client.report(
        since=span.starts.astimezone().isoformat(),
        zone=zone,
        component=None if component is None else name_of(component),
        task_type=None if task_type is None else name_of(task_type),
        tags={TIER: tier},
    )
    return report.total.tokens
