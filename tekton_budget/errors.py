"""What the daemon can say no with, as exceptions by code: the tree of its own, for callers.

BudgetError            code
├─ Malformed           malformed          the request does not parse
├─ Unauthenticated     unauthenticated    no token, or not one of the daemon's
├─ Denied              denied             a policy refuses; `facts` has the numbers
├─ Forbidden           forbidden          the token may not do that
├─ NotFound            not-found          no such thing, or not yours
├─ MethodNotAllowed    method-not-allowed the path exists, the method does not
├─ BodyTimeout         body-timeout       the body came too slowly
├─ HoldEnded           hold-ended         settled, released or expired before
├─ Overtaken           overtaken          what it is about was changed meanwhile
├─ InUse               in-use             something else still needs it
├─ TooLarge            too-large          the body passes the limit
├─ UnsupportedMedia    unsupported-media  not application/json
├─ Misdirected         misdirected        the Host header is not one of the daemon's
├─ Invalid             invalid            a field is wrong; `facts["errors"]` names each
├─ Unpriced            unpriced           no trusted price for the model
├─ Unroutable          unroutable         no model is known to fit the call
├─ KeyReused           key-reused         same key, other body
├─ Throttled           throttled          too many wrong tokens from there; wait as told
├─ Busy                busy               too much is waiting; it was retried before you see it
└─ Unavailable         unavailable        no daemon, or it cannot answer now
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar


class BudgetError(Exception):
    """A refusal: a sentence, what to do about it, and the figures as `facts`."""

    code: ClassVar[str] = "internal"

    def __init__(self, detail: str, *, hint: str | None = None, **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.facts: dict[str, Any] = facts

    def __str__(self) -> str:
        return self.detail if self.hint is None else f"{self.detail} ({self.hint})"


class Malformed(BudgetError):
    code = "malformed"


class Unauthenticated(BudgetError):
    code = "unauthenticated"


class Denied(BudgetError):
    """The budget does not allow this call. Repeating it changes nothing before `resets_at`."""

    code = "denied"


class Forbidden(BudgetError):
    code = "forbidden"


class NotFound(BudgetError):
    code = "not-found"


class MethodNotAllowed(BudgetError):
    code = "method-not-allowed"


class BodyTimeout(BudgetError):
    code = "body-timeout"


class HoldEnded(BudgetError):
    code = "hold-ended"


class Overtaken(BudgetError):
    code = "overtaken"


class InUse(BudgetError):
    code = "in-use"


class TooLarge(BudgetError):
    code = "too-large"


class UnsupportedMedia(BudgetError):
    code = "unsupported-media"


class Misdirected(BudgetError):
    code = "misdirected"


class Invalid(BudgetError):
    code = "invalid"


class Unpriced(BudgetError):
    code = "unpriced"


class Unroutable(BudgetError):
    code = "unroutable"


class KeyReused(BudgetError):
    code = "key-reused"


class Throttled(BudgetError):
    code = "throttled"


class Busy(BudgetError):
    code = "busy"


class Unavailable(BudgetError):
    """`facts["outcome"]` says `not-applied`, or `unknown` when it may have been."""

    code = "unavailable"


BY_CODE: dict[str, type[BudgetError]] = {leaf.code: leaf for leaf in BudgetError.__subclasses__()}
_HEAD = frozenset({"type", "title", "status", "code", "detail", "hint"})


def from_problem(problem: Mapping[str, Any]) -> BudgetError:
    """The error a problem document tells of; an unknown code is a plain `BudgetError`."""
    kind = BY_CODE.get(str(problem.get("code")), BudgetError)
    hint = problem.get("hint")
    facts = {name: value for name, value in problem.items() if name not in _HEAD}
    return kind(str(problem.get("detail", "")), hint=None if hint is None else str(hint), **facts)


def read(url: str, status: int, body: bytes) -> dict[str, Any]:
    """The JSON object of an answer. Raises the error it tells of."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise BudgetError(
            f"{url} answered {status} and no JSON object",
            hint="another program may have this port",
        )
    if status >= 400:  # noqa: PLR2004  # HTTP's own boundary
        raise from_problem(document)
    return document


def no_daemon(url: str, problem: OSError | None = None) -> Unavailable:
    """Nobody is there."""
    why = f" ({problem.strerror})" if problem is not None and problem.strerror else ""
    return Unavailable(
        f"no daemon at {url}{why}", hint="start it with `budget up`", outcome="not-applied"
    )


def broke_off(url: str, problem: BaseException) -> Unavailable:
    """The request may have been carried out."""
    return Unavailable(
        f"{url} did not finish its answer: {str(problem) or type(problem).__name__}",
        hint="ask again with the same idempotency key: it is never booked twice",
        outcome="unknown",
    )
