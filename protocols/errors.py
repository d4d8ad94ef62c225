"""Every refusal the daemon can utter, with its HTTP status and exit code, in one tree.

BudgetError            code              HTTP  exit
├─ Malformed           malformed          400    1    the body or the headers do not parse
├─ Unauthenticated     unauthenticated    401    6    no token, or not one of ours
├─ Denied              denied             402    5    a policy refuses; the fields have the numbers
├─ Forbidden           forbidden          403    6    role, scope or Origin is not enough
├─ NotFound            not-found          404    4    no such thing, or not yours
├─ MethodNotAllowed    method-not-allowed 405    2    the path exists, the method does not
├─ BodyTimeout         body-timeout       408    1    the body came too slowly
├─ HoldEnded           hold-ended         409    1    settled, released or expired before
├─ Overtaken           overtaken          409    1    what it is about was changed meanwhile
├─ InUse               in-use             409    1    something else still needs it
├─ TooLarge            too-large          413    1    the body passes the limit
├─ UnsupportedMedia    unsupported-media  415    1    not application/json, or compressed
├─ Misdirected         misdirected        421    1    the Host header is not one of ours
├─ Invalid             invalid            422    2    a field is wrong; `errors` names each
├─ Unpriced            unpriced           422    1    no trusted price for the model
├─ Unroutable          unroutable         422    1    no model is known to fit the call
├─ KeyReused           key-reused         422    1    same Idempotency-Key, other body
├─ Busy                busy               429    1    too much is waiting; come back in a second
├─ Throttled           throttled          429    6    too many wrong tokens from this address
└─ Unavailable         unavailable        503    3    `outcome` says not-applied or unknown
(anything else)        internal           500    1    a bug; logged, never shown
"""

from collections.abc import Mapping
from typing import ClassVar


class BudgetError(Exception):
    """A refusal: a sentence, what to do about it, and the figures as fields.

    A reply like any other: the actor that utters it lives on.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "Something broke in the daemon"

    def __init__(self, detail: str, *, hint: str | None = None, **facts: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.facts = facts

    def again(self) -> "BudgetError":
        """The same refusal for somebody else: a raised error remembers where it was."""
        return type(self)(self.detail, hint=self.hint, **self.facts)

    def problem(self) -> dict[str, object]:
        """RFC 9457 problem document, as a plain dict."""
        body: dict[str, object] = {
            "type": f"urn:budget:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.hint is not None:
            body["hint"] = self.hint
        return body | self.facts


class Malformed(BudgetError):
    code, status, title = "malformed", 400, "The request does not parse"


class Unauthenticated(BudgetError):
    code, status, exit_code, title = "unauthenticated", 401, 6, "No valid token"


class Denied(BudgetError):
    """A spent budget. Never retried by itself: 402, not 429."""

    code, status, exit_code, title = "denied", 402, 5, "The budget does not allow this call"


class Forbidden(BudgetError):
    code, status, exit_code, title = "forbidden", 403, 6, "This token may not do that"


class NotFound(BudgetError):
    code, status, exit_code, title = "not-found", 404, 4, "There is no such thing"


class MethodNotAllowed(BudgetError):
    code, status, exit_code = "method-not-allowed", 405, 2
    title = "The path does not know this method"


class BodyTimeout(BudgetError):
    code, status, title = "body-timeout", 408, "The body came too slowly"


class HoldEnded(BudgetError):
    code, status, title = "hold-ended", 409, "The hold has already ended"


class Overtaken(BudgetError):
    code, status, title = "overtaken", 409, "Somebody was faster"


class InUse(BudgetError):
    code, status, title = "in-use", 409, "Something still needs it"


class TooLarge(BudgetError):
    code, status, title = "too-large", 413, "The body is too large"


class UnsupportedMedia(BudgetError):
    code, status, title = "unsupported-media", 415, "The body must be plain application/json"


class Misdirected(BudgetError):
    code, status, title = "misdirected", 421, "The Host header is not one of ours"


class Invalid(BudgetError):
    code, status, exit_code, title = "invalid", 422, 2, "A field is wrong"


class Unpriced(BudgetError):
    code, status, title = "unpriced", 422, "No trusted price for this model"


class Unroutable(BudgetError):
    code, status, title = "unroutable", 422, "No model is known to fit this call"


class KeyReused(BudgetError):
    code, status, title = "key-reused", 422, "This Idempotency-Key belongs to another request"


class Busy(BudgetError):
    code, status, title = "busy", 429, "Too much is waiting"


class Throttled(BudgetError):
    """Only wrong tokens are turned away: whoever has a right one is let in."""

    code, status, exit_code, title = "throttled", 429, 6, "Too many wrong tokens"


class Unavailable(BudgetError):
    """`outcome` says `not-applied`, or `unknown` when it may have been."""

    code, status, exit_code, title = "unavailable", 503, 3, "The daemon cannot answer now"


def every_error() -> dict[str, type[BudgetError]]:
    """Each leaf of the tree by its code."""
    return {leaf.code: leaf for leaf in BudgetError.__subclasses__()}


def from_problem(problem: Mapping[str, object]) -> BudgetError:
    """The error a problem document tells of; an unknown code is a plain `BudgetError`."""
    known = {"type", "title", "status", "code", "detail", "hint"}
    kind = every_error().get(str(problem.get("code")), BudgetError)
    hint = problem.get("hint")
    facts = {name: value for name, value in problem.items() if name not in known}
    return kind(str(problem.get("detail", "")), hint=None if hint is None else str(hint), **facts)
