"""Policies, budgets and balances: what people ask of the policy engine."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from protocols.message import Request
from protocols.names import Component, PolicyName
from protocols.policy.charge import WindowShown
from protocols.policy.policy import Policy

Why = Annotated[str, Field(max_length=500, description="the reason, kept in the journal")]


@dataclass(slots=True)
class PolicyShown:
    """A policy as it stands, with who set it and when."""

    policy: Policy
    revision: int
    set_by: str
    set_at: str


@dataclass(slots=True)
class Policies:
    items: list[PolicyShown]
    next_cursor: str | None = None


@dataclass(slots=True)
class PolicyRemoved:
    name: str
    entry_id: str = ""


@dataclass(slots=True)
class Budget:
    """A named group of policies with an owner."""

    name: str
    owner: str | None
    note: str | None
    policies: list[str]
    budget_id: str = ""
    """Its name, under the name by which Tekton's pages look for it."""


@dataclass(slots=True)
class Budgets:
    items: list[Budget]
    next_cursor: str | None = None


@dataclass(slots=True)
class BudgetRemoved:
    budget_id: str
    entry_id: str = ""


@dataclass(slots=True)
class Balance:
    """One counter on one axis. USD are decimal strings."""

    policy: str
    key: str | None
    axis: str
    limit: str | int
    used: str | int
    held: str | int
    left: str | int
    window: WindowShown


@dataclass(slots=True)
class Balances:
    items: list[Balance]
    next_cursor: str | None = None


class SetPolicy(Policy, Request[PolicyShown]):
    """Make a policy, or replace the one of that name. It counts from its current window on."""

    why: Why | None = None


class RemovePolicy(Request[PolicyRemoved]):
    """Take a policy away. Its entries and windows stay in the journal."""

    name: PolicyName
    why: Why | None = None


class ShowPolicy(Request[PolicyShown]):
    """One policy by name."""

    name: PolicyName


class ListPolicies(Request[Policies]):
    """All policies, by name."""

    budget: PolicyName | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: str | None = Field(default=None, max_length=200)


class SetBudget(Request[Budget]):
    """Name a budget, its owner and what it is for."""

    name: PolicyName
    owner: Annotated[str, Field(max_length=200)] | None = None
    note: Annotated[str, Field(max_length=500)] | None = None
    why: Why | None = None


class RemoveBudget(Request[BudgetRemoved]):
    """Take a budget away that has no policies. What was spent in it stays in the journal."""

    budget_id: PolicyName
    why: Why | None = None


class ListBudgets(Request[Budgets]):
    """All budgets with the names of their policies."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: str | None = Field(default=None, max_length=200)


class ShowBalances(Request[Balances]):
    """Limits, used, held and left of every counter that is open now."""

    policy: PolicyName | None = None
    component: Component | None = Field(
        default=None, description="only policies that can match this component"
    )
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: str | None = Field(default=None, max_length=200)
