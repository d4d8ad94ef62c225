"""Who we are in Tekton: name, description, and what we can, in its words."""

from typing import Any

from protocols.operations import BY_NAME, NOT_DERIVED, OPERATIONS, PREFIX

NAME = "budget"
NAMES = ("budget", "penia")
"""Both are us: Tekton's list of components says `penia`."""
TITLE = "Tekton Budget"
DESCRIPTION = "Decides before a language model is called whether the money is there"
OPENAPI = f"{PREFIX}/openapi.json"
DOCS = f"{PREFIX}/docs"

_CAPABILITIES = {
    "budget_allocation": "allocate",
    "cost_tracking": "record",
    "usage_reporting": "show_report",
    "assistant_service": "ask_assistant",
}
"""Tekton's name of what we can, and the operation that does it."""


def capabilities() -> tuple[str, ...]:
    return tuple(named for named, verb in _CAPABILITIES.items() if verb in BY_NAME)


def endpoints() -> list[dict[str, Any]]:
    """Every route, as `/api/v1/discovery` lists them."""
    derived = [
        _endpoint(
            PREFIX + operation.path,
            operation.method,
            " ".join((operation.request.__doc__ or "").split()),
            operation.path.split("/")[1],
        )
        for operation in OPERATIONS
    ]
    return derived + [_endpoint(path, method, "", "daemon") for method, path in NOT_DERIVED]


def _endpoint(path: str, method: str, description: str, tag: str) -> dict[str, Any]:
    return {"path": path, "method": method, "description": description, "tags": [tag]}
