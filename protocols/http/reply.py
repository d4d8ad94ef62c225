"""Answers as they go out: JSON, or a problem document (RFC 9457)."""

import logging
import math
import secrets
from collections.abc import Callable

from aiohttp import web
from multidict import CIMultiDict
from pydantic_core import to_json

from protocols.errors import BudgetError

log = logging.getLogger("budget.http")

_SERVER = "budget"
_JSON = CIMultiDict({"Content-Type": "application/json", "Server": _SERVER})
_PROBLEM = CIMultiDict({"Content-Type": "application/problem+json", "Server": _SERVER})
_BODY_UNREAD = frozenset({408, 413})


def respond(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, headers=_JSON)


def problem(error: BudgetError) -> web.Response:
    """Write the problem document of a refusal, with the headers its status asks for."""
    response = web.Response(body=to_json(error.problem()), status=error.status, headers=_PROBLEM)
    if (header := _HEADERS.get(error.status)) is not None:
        name, value = header
        response.headers[name] = value(error)
    if error.status in _BODY_UNREAD:
        response.force_close()
    request_id = response.headers["X-Request-Id"] = secrets.token_hex(6)
    log.debug("refused", extra={"request_id": request_id, "code": error.code})
    return response


def mishap(bug: BaseException | None, where: str) -> BudgetError:
    """Log a bug under a number, and tell the caller only the number."""
    incident = secrets.token_hex(6)
    log.error("internal error", exc_info=bug, extra={"incident": incident, "where": where})
    return BudgetError(
        "a bug in the daemon; its log has the details under this incident",
        incident=incident,
        outcome="unknown",
    )


def _retry_after(error: BudgetError) -> str:
    seconds = error.facts.get("retry_after_s", 1)
    return str(max(1, math.ceil(seconds))) if isinstance(seconds, int | float) else "1"


def _allow(error: BudgetError) -> str:
    allow = error.facts.get("allow", ())
    return ", ".join(allow) if isinstance(allow, list | tuple) else str(allow)


_HEADERS: dict[int, tuple[str, Callable[[BudgetError], str]]] = {
    401: ("WWW-Authenticate", lambda _: "Bearer"),
    402: ("x-should-retry", lambda _: "false"),
    405: ("Allow", _allow),
    429: ("Retry-After", _retry_after),
    503: ("Retry-After", _retry_after),
}
