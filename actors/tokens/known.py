"""Every valid token, as digests: the question whose token this is, asked at each request."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from protocols.errors import Unauthenticated
from protocols.message import Caller

SCHEME = "Bearer "
ID = slice(4, 12)
"""Where the public id stands in a token."""
LATELY_MAX = 256
TOKEN = re.compile(r"tkb_[A-Za-z0-9_-]{8}_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(slots=True)
class Known:
    """One token. Times are milliseconds; `made_ms` None: it lies in a file."""

    id: str
    digest: bytes
    caller: Caller
    made_by: str
    made_ms: int | None = None
    expires_ms: int | None = None
    used_ms: int | None = None

    def expired(self, now_ms: int) -> bool:
        return self.expires_ms is not None and self.expires_ms <= now_ms


class KnownTokens:
    """Shared by the doors, which ask, and the registrar, who changes it."""

    def __init__(self, hint: str, now_ms: Callable[[], int]) -> None:
        self.hint = hint
        self.now_ms = now_ms
        self.by_id: dict[str, Known] = {}
        self._lately: dict[str | None, Known] = {}
        """Headers that were found good: to digest a token for each request costs more than it."""
        self.ended: list[Callable[[str], None]] = []
        """Who wants to hear the name of a caller whose token has ended."""

    def caller(self, authorization: str | None) -> Caller:
        """Say who sent this `Authorization` header. Raises Unauthenticated."""
        known = self._lately.get(authorization)
        if known is None:
            known = self._find(authorization)
        now_ms = self.now_ms()
        if known.expired(now_ms):
            raise self._refusal("the token has expired")
        known.used_ms = now_ms
        return known.caller

    def _find(self, authorization: str | None) -> Known:
        if authorization is None or authorization[: len(SCHEME)].lower() != "bearer ":
            raise self._refusal("the request carries no bearer token")
        token = authorization[len(SCHEME) :].strip(" ")
        known = self.by_id.get(token[ID])
        if known is None or not hmac.compare_digest(digest(token), known.digest):
            if TOKEN.fullmatch(token):
                raise self._refusal("the token is not one of this daemon's, or was revoked")
            raise self._refusal("what the request carries is no token of a budget daemon")
        if len(self._lately) >= LATELY_MAX:
            self._lately.clear()
        self._lately[authorization] = known
        return known

    def learn(self, known: Known) -> None:
        self._lately.clear()
        self.by_id[known.id] = known

    def forget(self, known: Known) -> None:
        """From now on it is nobody's; its open streams are told to close."""
        self._lately.clear()
        self.by_id.pop(known.id, None)
        for tell in self.ended:
            tell(known.caller.name)

    def named(self, name: str) -> Known | None:
        return next((one for one in self.by_id.values() if one.caller.name == name), None)

    def _refusal(self, detail: str) -> Unauthenticated:
        return Unauthenticated(detail, hint=self.hint)


def new_token() -> str:
    """`tkb_<id>_<secret>`: a public id of 8 characters, a secret of 256 bits."""
    return f"tkb_{secrets.token_urlsafe(6)}_{secrets.token_urlsafe(32)}"


def digest(token: str) -> bytes:
    """SHA-256: a slow hash buys nothing where the secret has 256 bits."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
