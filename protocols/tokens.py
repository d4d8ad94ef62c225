"""Tokens: who may call, made and revoked while the daemon runs."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from protocols.message import Request, Role
from protocols.names import Component

YEAR_S = 366 * 86_400
PAGE = "page"
OWN_NAMES = ("admin", "daemon", PAGE)
"""Callers the daemon makes itself; no token may pass for one of them."""


def _not_ours(name: str) -> str:
    if name in OWN_NAMES:
        raise PydanticCustomError(
            "own_name",
            "is a name the daemon keeps for itself",
            {"remedy": 'choose another, such as name = "apollo"'},
        )
    return name


TokenName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), AfterValidator(_not_ours)
]


@dataclass(slots=True)
class TokenShown:
    """A token without its secret. `components` empty: all; `expires_at` None: never."""

    name: str
    id: str
    """The public part, as the log shows it."""
    role: str
    components: list[str]
    made_by: str
    made_at: str | None
    """None where the token comes from a file and not from an entry."""
    expires_at: str | None
    expired: bool
    last_used_at: str | None
    """Since this daemon started; None: not since then."""


@dataclass(slots=True)
class TokenMade:
    """The only time the secret is told. It is kept nowhere, only its digest is."""

    token: str
    shown: TokenShown
    entry_id: str = ""


@dataclass(slots=True)
class TokenRevoked:
    name: str
    id: str
    entry_id: str = ""


@dataclass(slots=True)
class TokenList:
    items: list[TokenShown]
    next_cursor: str | None = None


class MakeToken(Request[TokenMade]):
    """Make a token for a caller. It works from the answer on, until it expires or is revoked."""

    name: TokenName
    role: Role
    components: Annotated[
        list[Component],
        Field(max_length=100, description="the components it may act for; none: all"),
    ] = []
    expires_in_s: Annotated[
        int | None, Field(ge=60, le=10 * YEAR_S, description="seconds until it ends; none: never")
    ] = None
    why: Annotated[str, Field(max_length=500, description="kept in the journal")] | None = None


class ListTokens(Request[TokenList]):
    """Every token that exists, never a secret."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 1000
    cursor: str | None = Field(default=None, max_length=200)


class RevokeToken(Request[TokenRevoked]):
    """End a token at once: the next request with it is refused, its open streams are closed."""

    name: TokenName
    why: Annotated[str, Field(max_length=500, description="kept in the journal")] | None = None
