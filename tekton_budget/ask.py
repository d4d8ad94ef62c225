"""What is asked of the daemon, as plain values: one function for each verb."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Generic, TypeVar, Unpack
from urllib.parse import quote as quote_part
from urllib.parse import urlencode

from tekton_budget.details import Ending, More, Report, Rule, Set, Used, Wanted
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
SPENDING = frozenset(
    PREFIX + path for path in ("/reservations", "/check", "/usage", "/allocations")
)
"""What is posted here says which component spends."""
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Json = dict[str, Any]


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
        return compact(self.fields) if self.method == "POST" else None

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


def compact(value: object) -> bytes:
    """JSON without a space: a key knows a body by its bytes, and this is how all doors see it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="surrogatepass")


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


def reserve(model: str, *, key: str | None = None, **call: Unpack[Wanted]) -> Ask[Reservation]:
    """Hold the worst case of a call, or raise `Denied`."""
    return keyed("/reservations", Reservation, {"model": model, **call}, key)


def check(model: str, **call: Unpack[Wanted]) -> Ask[Checked]:
    """Would this call be admitted? Holds nothing."""
    return post("/check", Checked, {"model": model, **call})


def settle(
    reservation_id: str,
    usage: Mapping[str, Any],
    *,
    key: str | None = None,
    **end: Unpack[Ending],
) -> Ask[Booked]:
    """Book what a held call used. Never refused because of a limit."""
    fields = {"usage": dict(usage), **end}
    return keyed(f"/reservations/{reservation_id}/settle", Booked, fields, key)


def release(reservation_id: str, *, key: str | None = None) -> Ask[Released]:
    """Give a hold back: the call was not made."""
    return keyed(f"/reservations/{reservation_id}/release", Released, {}, key)


def extend(reservation_id: str, *, key: str | None = None, **more: Unpack[More]) -> Ask[HoldShown]:
    """Make a hold larger, longer-lived, or both."""
    return keyed(f"/reservations/{reservation_id}/extend", HoldShown, more, key)


def record(
    model: str, usage: Mapping[str, Any], *, key: str | None = None, **used: Unpack[Used]
) -> Ask[Booked]:
    """Book usage that nobody held for."""
    return keyed("/usage", Booked, {"model": model, "usage": dict(usage), **used}, key)


def allocate(context_id: str, *, key: str | None = None, **wanted: Unpack[Set]) -> Ask[Allocation]:
    """Set tokens (or usd, calls) aside for a context that many calls draw from."""
    return keyed("/allocations", Allocation, {"context_id": context_id, **wanted}, key)


def show_allocation(allocation_id: str) -> Ask[HoldShown]:
    """What is left of an allocation, and how it stands."""
    return get(f"/allocations/{allocation_id}", HoldShown, {})


def extend_allocation(
    allocation_id: str, *, key: str | None = None, **more: Unpack[More]
) -> Ask[HoldShown]:
    """Make an allocation larger, longer-lived, or both."""
    return keyed(f"/allocations/{allocation_id}/extend", HoldShown, more, key)


def release_allocation(allocation_id: str, *, key: str | None = None) -> Ask[Released]:
    """Give back what is left of an allocation."""
    return keyed(f"/allocations/{allocation_id}/release", Released, {}, key)


def allocations(*, status: str | None = None) -> Ask[Holds]:
    """Allocations, oldest first; `status` is held, released or expired."""
    return get("/allocations", Holds, {"status": status, "limit": 1000})


def list_entries(cursor: str | None = None, limit: int = 1000) -> Ask[Entries]:
    return get("/entries", Entries, {"limit": limit, "cursor": cursor})


def report(**wanted: Unpack[Report]) -> Ask[SpendReport]:
    """What was spent: any filter, any groups, cut by time."""
    return post("/reports", SpendReport, wanted)


def set_policy(
    name: str, limit: Mapping[str, Any], period: str, **rule: Unpack[Rule]
) -> Ask[PolicyShown]:
    """Make a policy, or replace the one of that name. Needs the role admin."""
    fields = {"name": name, "limit": plain(limit), "period": period, **rule}
    return post("/policies", PolicyShown, fields)


def remove_policy(name: str, *, why: str | None = None) -> Ask[dict[str, Any]]:
    """Take a policy away. Needs the role admin."""
    query = f"?{urlencode({'why': why})}" if why else ""
    return Ask("DELETE", f"{PREFIX}/policies/{quote_part(name, safe='')}{query}", {}, dict)


def policies() -> Ask[Policies]:
    """All policies, by name."""
    return get("/policies", Policies, {"limit": 1000})


def balances(*, policy: str | None = None, component: str | None = None) -> Ask[Balances]:
    """Limits, used, held and left of every counter that is open now."""
    return get("/balances", Balances, {"policy": policy, "component": component, "limit": 1000})


def quote(model: str, usage: Mapping[str, Any], *, provider: str | None = None) -> Ask[Quote]:
    """What a usage costs. Books nothing."""
    return post("/prices/quote", Quote, {"model": model, "usage": usage, "provider": provider})


def page_after(ask: Ask[R], cursor: str) -> Ask[R]:
    """The same list, from where a page ended."""
    return replace(ask, target=f"{ask.target}&{urlencode({'cursor': cursor})}")


def with_component(ask: Ask[R], component: str | None) -> Ask[R]:
    """Of the client's own component, where somebody spends and is not named."""
    spends = ask.method == "POST" and ask.target in SPENDING
    if component is None or not spends or "component" in ask.fields:
        return ask
    return replace(ask, fields={"component": component, **ask.fields})
