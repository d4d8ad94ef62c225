"""An ask as one of many: an item of a batch, a line of a stream; and its outcome."""

from collections.abc import Mapping
from typing import Any

from tekton_budget.ask import PREFIX, Ask, Json
from tekton_budget.errors import BudgetError, from_problem

PATHS = {
    "reserve": "/reservations",
    "settle": "/reservations/{reservation_id}/settle",
    "release": "/reservations/{reservation_id}/release",
    "extend": "/reservations/{reservation_id}/extend",
    "allocate": "/allocations",
    "extend_allocation": "/allocations/{allocation_id}/extend",
    "release_allocation": "/allocations/{allocation_id}/release",
    "record": "/usage",
    "check": "/check",
    "show_report": "/reports",
    "quote": "/prices/quote",
}
"""What may go with others, all of it harmless to send again. A policy is set by itself: the
daemon keeps from where that came."""


def _split(path: str) -> tuple[str, str]:
    """The path without the field in its middle, and that field."""
    start, _, rest = path.removeprefix("/").partition("/")
    middle, slash, last = rest.rpartition("/")
    return (f"{start}//{last}", middle) if slash else (path, "")


_NAMES = {
    shape: (name, field[1:-1]) for name, path in PATHS.items() for shape, field in [_split(path)]
}


def item(ask: Ask[Any]) -> Json | None:
    """None for what has to go by itself."""
    shape, told = _split(ask.target.removeprefix(PREFIX))
    found = _NAMES.get(shape)
    if found is None or ask.method != "POST":
        return None
    name, field = found
    body = {**ask.fields, field: told} if field else ask.fields
    return {"operation": name, "body": body, "idempotency_key": ask.key}


def outcome(told: Mapping[str, Any]) -> Json | BudgetError:
    """The answer as JSON, or the refusal."""
    body: Json = told["body"]
    return body if told["status"] < 400 else from_problem(body)  # noqa: PLR2004  # HTTP's boundary
