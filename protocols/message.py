"""A request names its reply; whoever finishes the work answers the call it came with."""

from collections.abc import Callable
from typing import Any, Generic, Literal, Protocol, TypeVar, get_args

from pydantic import BaseModel, ConfigDict

from protocols.errors import BudgetError

Role = Literal["read", "report", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Each role may do what those before it may."""

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)


class Request(BaseModel, Generic[R]):
    """A question or a command: `class Reserve(Request[Reservation])`.

    Validated once, at the door. Strict: a number in quotes is not a number, an unknown
    field is an error.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )


def reply_of(request: type[Request[Any]]) -> type[Any]:
    """The reply class that a request class names."""
    for base in request.__mro__:
        args = getattr(base, "__pydantic_generic_metadata__", {}).get("args")
        if args:
            reply: type[Any] = args[0]
            return reply
    raise TypeError(f"{request.__name__} names no reply")


class Value(BaseModel):
    """A part of a request or a stored fact: frozen, strict, nothing unknown."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )


class Caller:
    """Who asks: name, role, the components they may act for, and the key of this very call."""

    __slots__ = ("components", "fingerprint", "key", "name", "role", "via")

    def __init__(
        self,
        name: str,
        role: str,
        components: frozenset[str] | None = None,
        key: str | None = None,
        fingerprint: bytes = b"",
        via: str | None = None,
    ) -> None:
        self.name = name
        self.role = role
        self.components = components
        self.key = key
        self.fingerprint = fingerprint
        self.via = via
        """Where an admin's request came from; the journal keeps it with what was decided."""

    def with_key(self, key: str, fingerprint: bytes) -> "Caller":
        return Caller(self.name, self.role, self.components, key, fingerprint)

    def coming(self, via: str | None) -> "Caller":
        return Caller(self.name, self.role, self.components, self.key, self.fingerprint, via)

    def may_act_for(self, component: str) -> bool:
        return self.components is None or component in self.components


DAEMON = Caller("daemon", "admin")
"""The daemon itself: seeds policies, sweeps expired holds."""


class Call(Protocol[R_contra]):
    """One unanswered request. It travels with the work; the last to touch it answers it.

    Answering twice, or after the caller left, is harmless: the first answer counts.
    """

    caller: Caller

    def answer(self, reply: R_contra) -> None: ...

    def refuse(self, error: BudgetError) -> None: ...


class Ask(Protocol):
    """How a door speaks to an actor: by name, typed by the request's own reply."""

    async def __call__(self, to: str, request: Request[R], caller: Caller) -> R: ...


Done = Callable[[Any], None]
"""Gets the reply, or the error instead of one; once, and must not raise."""


class Put(Protocol):
    """As `Ask`, but nobody waits: `done` is told. What is not let in is refused by raising."""

    def __call__(self, to: str, request: Request[Any], caller: Caller, done: Done) -> None: ...
