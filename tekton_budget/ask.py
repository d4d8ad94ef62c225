"""What is asked of the daemon, as plain values: one function for each verb."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Generic, TypedDict, TypeVar
from urllib.parse import quote, urlencode

from tekton_budget.replies import (
    Allocation,
    Balances,
    Booked,
    Checked,
    Entries,
    Holds,
    HoldShown,
    Policies,
    PolicyShown,
    Quote,
    Released,
    Reservation,
    SpendReport,
    read,
)

PREFIX = "/api/v1"
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Json = dict[str, Any]


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
    response_id: str
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


@dataclass(frozen=True, slots=True)
class Ask(Generic[R_co]):
    """One request, and what its answer is. With a key it may be sent any number of times."""

    method: str
    target: str
    fields: Json
    reply: type[R_co]
    key: str | None = None

    @property
    def body(self) -> bytes | None:
        return json.dumps(self.fields).encode() if self.method == "POST" else None

    def headers(self, token: str | None) -> dict[str, str]:
        told = {"Accept": "application/json"}
        if token is not None:
            told["Authorization"] = f"Bearer {token}"
        if self.method == "POST":
            told["Content-Type"] = "application/json"
        if self.key is not None:
            told["Idempotency-Key"] = self.key
        return told

    def read(self, document: Mapping[str, Any]) -> R_co:
        return read(self.reply, document)


def new_key() -> str:
    return str(uuid.uuid4())


def plain(fields: Mapping[str, Any]) -> Json:
    """Without what was left out; money as the decimal string that the daemon takes."""
    return {
        name: format(value, "f") if isinstance(value, Decimal) else value
        for name, value in fields.items()
        if value is not None
    }


def post(path: str, reply: type[R], fields: Mapping[str, Any], key: str | None = None) -> Ask[R]:
    return Ask("POST", PREFIX + path, plain(fields), reply, key)


def get(path: str, reply: type[R], fields: Mapping[str, Any]) -> Ask[R]:
    query = urlencode(plain(fields))
    return Ask("GET", PREFIX + path + (f"?{query}" if query else ""), {}, reply)


def keyed(path: str, reply: type[R], fields: Mapping[str, Any], key: str | None) -> Ask[R]:
    """A key of its own where none is given, so that trying again never does it twice."""
    return post(path, reply, fields, key or new_key())


def reserve(model: str, wanted: Wanted, key: str | None) -> Ask[Reservation]:
    return keyed("/reservations", Reservation, {"model": model, **wanted}, key)


def check(model: str, wanted: Wanted) -> Ask[Checked]:
    return post("/check", Checked, {"model": model, **wanted})


def settle(
    reservation_id: str, usage: Mapping[str, Any], end: Ending, key: str | None
) -> Ask[Booked]:
    fields = {"usage": dict(usage), **end}
    return keyed(f"/reservations/{reservation_id}/settle", Booked, fields, key)


def release(reservation_id: str, key: str | None) -> Ask[Released]:
    return keyed(f"/reservations/{reservation_id}/release", Released, {}, key)


def extend(reservation_id: str, more: More, key: str | None) -> Ask[HoldShown]:
    return keyed(f"/reservations/{reservation_id}/extend", HoldShown, more, key)


def record(model: str, usage: Mapping[str, Any], used: Used, key: str | None) -> Ask[Booked]:
    return keyed("/usage", Booked, {"model": model, "usage": dict(usage), **used}, key)


def allocate(context_id: str, wanted: Set, key: str | None) -> Ask[Allocation]:
    return keyed("/allocations", Allocation, {"context_id": context_id, **wanted}, key)


def show_allocation(allocation_id: str) -> Ask[HoldShown]:
    return get(f"/allocations/{allocation_id}", HoldShown, {})


def extend_allocation(allocation_id: str, more: More, key: str | None) -> Ask[HoldShown]:
    return keyed(f"/allocations/{allocation_id}/extend", HoldShown, more, key)


def release_allocation(allocation_id: str, key: str | None) -> Ask[Released]:
    return keyed(f"/allocations/{allocation_id}/release", Released, {}, key)


def list_allocations(status: str | None, cursor: str | None) -> Ask[Holds]:
    return get("/allocations", Holds, {"status": status, "limit": 1000, "cursor": cursor})


def list_entries(cursor: str | None = None, limit: int = 1000) -> Ask[Entries]:
    return get("/entries", Entries, {"limit": limit, "cursor": cursor})


def report(wanted: Report) -> Ask[SpendReport]:
    return post("/reports", SpendReport, wanted)


def set_policy(name: str, limit: Mapping[str, Any], period: str, rule: Rule) -> Ask[PolicyShown]:
    fields = {"name": name, "limit": plain(limit), "period": period, **rule}
    return post("/policies", PolicyShown, fields)


def remove_policy(name: str, why: str | None) -> Ask[dict[str, Any]]:
    query = f"?{urlencode({'why': why})}" if why else ""
    return Ask("DELETE", f"{PREFIX}/policies/{quote(name, safe='')}{query}", {}, dict)


def list_policies(cursor: str | None = None) -> Ask[Policies]:
    return get("/policies", Policies, {"limit": 1000, "cursor": cursor})


def balances(policy: str | None, component: str | None, cursor: str | None) -> Ask[Balances]:
    fields = {"policy": policy, "component": component, "limit": 1000, "cursor": cursor}
    return get("/balances", Balances, fields)


def quote_price(model: str, usage: Mapping[str, Any], provider: str | None) -> Ask[Quote]:
    return post("/prices/quote", Quote, {"model": model, "usage": usage, "provider": provider})


def with_component(ask: Ask[R], component: str | None) -> Ask[R]:
    """Of the client's own component, where the call names none."""
    if component is None or "component" in ask.fields:
        return ask
    return replace(ask, fields={"component": component, **ask.fields})
