"""Answers as they go out: JSON, or a problem document (RFC 9457)."""

import logging
import math
import secrets
from collections.abc import Callable
from functools import cache
from http import HTTPStatus

from aiohttp import web
from aiohttp.helpers import rfc822_formatted_time
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
    response.headers.extend(_more_headers(error))
    if error.status in _BODY_UNREAD:
        response.force_close()
    return response


def in_bytes(body: bytes, status: int, kind: bytes = b"json", more: bytes = b"") -> bytes:
    """The whole answer as it goes over the wire."""
    return b"%bapplication/%b\r\nServer: budget\r\nContent-Length: %d\r\nDate: %b\r\n%b\r\n%b" % (
        _line(status), kind, len(body), rfc822_formatted_time().encode(), more, body,
    )  # fmt: skip


def problem_in_bytes(error: BudgetError, more: str = "") -> bytes:
    """`problem`, as it goes over the wire."""
    more += "".join([f"{name}: {value}\r\n" for name, value in _more_headers(error).items()])
    return in_bytes(to_json(error.problem()), error.status, b"problem+json", more.encode())


@cache
def _line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: ".encode()


def _more_headers(error: BudgetError) -> dict[str, str]:
    more = {"X-Request-Id": secrets.token_hex(6)}
    if (header := _HEADERS.get(error.status)) is not None:
        name, value = header
        more[name] = value(error)
    log.debug("refused", extra={"request_id": more["X-Request-Id"], "code": error.code})
    return more


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
