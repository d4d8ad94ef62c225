"""Rhetor's words: periods, ways to enforce, the sentences its callers show."""

from datetime import date, datetime, timedelta
from enum import StrEnum


class BudgetPolicy(StrEnum):
    IGNORE = "ignore"
    WARN = "warn"
    ENFORCE = "enforce"


class BudgetPeriod(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


ALL = "all"
CUSTOM = "custom"

MODELS: dict[str, tuple[str, ...]] = {
    "anthropic": (
        "claude-3-opus-20240229", "claude-3-sonnet-20240229", "claude-3-haiku-20240307",
        "claude-3-5-sonnet-20240620", "claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5",
    ),
    "openai": ("gpt-4", "gpt-4-turbo", "gpt-4o", "gpt-3.5-turbo"),
    "ollama": ("llama3",),
    "simulated": ("simulated-standard",),
}  # fmt: skip
"""The models Rhetor knows, and those that took the place of what is no longer sold. What they
cost, the daemon knows: one without a price is never chosen."""

PREFERRED = {"chat": ("openai", "anthropic", "ollama")}
PREFERRED_ELSE = ("anthropic", "openai", "ollama")


def first_day(period: BudgetPeriod, today: date) -> date:
    """The day on which the period began: today, Monday, or the first."""
    match period:
        case BudgetPeriod.DAILY:
            return today
        case BudgetPeriod.WEEKLY:
            return today - timedelta(days=today.weekday())
        case BudgetPeriod.MONTHLY:
            return today.replace(day=1)


def will_be_exceeded(period: BudgetPeriod, limit: float, usage: float) -> str:
    head = f"{period.value.capitalize()} budget limit of ${limit:.2f}"
    return f"{head} will be exceeded (current: ${usage:.2f})"


def exceeded(policy: str) -> str:
    """Of a limit of Rhetor's own, by its period; of any other, by its name."""
    for period in BudgetPeriod:
        if policy.startswith(f"rhetor:{period.value}:"):
            return f"{period.value.capitalize()} budget limit exceeded"
    return f"Budget limit of {policy} exceeded"


def naive(at: str) -> datetime:
    """Local and without a zone, as Rhetor writes times."""
    return datetime.fromisoformat(at).astimezone().replace(tzinfo=None)
