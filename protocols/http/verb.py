"""One operation as the door sees it: all that can be known before a request comes."""

import hashlib
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from protocols.errors import Forbidden
from protocols.http.invalid import invalid, refuse
from protocols.message import ROLES, Ask, Caller, Request, Role
from protocols.operations import Operation
from protocols.written import Write, writer

Authenticate = Callable[[str | None], Caller]
"""From the Authorization header to the caller. Raises Unauthenticated."""

KEY_HEADER = "Idempotency-Key"
_KEY = re.compile(r"[!-~]{1,255}", re.ASCII)


def roles_from(role: Role) -> frozenset[str]:
    """List the roles that may do what this one may."""
    return frozenset(ROLES[ROLES.index(role) :])


def check_role(caller: Caller, roles: frozenset[str], role: Role) -> None:
    if caller.role not in roles:
        raise Forbidden(
            f"this needs the role {role}; the token has {caller.role}", needs=role, has=caller.role
        )


class Verb:
    """Checks the caller, understands the fields, asks whoever hears it."""

    def __init__(self, operation: Operation, ask: Ask) -> None:
        validator = operation.request.__pydantic_validator__
        self.operation = operation
        self._ask = ask
        self._address = operation.address
        self._roles = roles_from(operation.role)
        self.begins = operation.begins
        self._scoped = "component" in operation.request.model_fields
        self._strict = validator.validate_python
        self._strings = validator.validate_strings

    @cached_property
    def write(self) -> Write:
        """Writes the reply. Made at the first: most verbs are never used."""
        return writer(self.operation.reply)

    def admit(self, caller: Caller) -> None:
        check_role(caller, self._roles, self.operation.role)

    def understand(self, fields: dict[str, Any], *, strings: bool = False) -> Request[Any]:
        """Make the message of its fields. `strings`: they come from a query, so "5" is a number."""
        try:
            message: Request[Any] = (self._strings if strings else self._strict)(fields)
        except ValidationError as error:
            raise invalid(self.operation.request, fields, error) from None
        return message

    async def ask(self, message: Request[Any], caller: Caller) -> bytes:
        """Ask whoever hears it, if it is within the caller's scope. The reply comes as JSON."""
        return self.write(await self._ask(self.address(message, caller), message, caller))

    def address(self, message: Request[Any], caller: Caller) -> str:
        """Who hears it, if it is within the caller's scope."""
        if self._scoped and caller.components is not None:
            _check_scope(caller, message.component)  # type: ignore[attr-defined]  # see _scoped
        return self._address(message)

    def keyed(self, caller: Caller, key: str, path: str, body: bytes) -> Caller:
        """Give the caller this very key, bound to the operation, the path and the body."""
        if not self.operation.keyed:
            return caller
        if not _KEY.fullmatch(key):
            raise refuse(
                {
                    "field": KEY_HEADER,
                    "problem": "it must have 1 to 255 visible ASCII characters",
                    "remedy": "send a UUID, for example",
                }
            )
        text = b"\n".join((self.operation.name.encode(), path.encode(), body))
        return caller.with_key(key, hashlib.sha256(text).digest())


def _check_scope(caller: Caller, component: str | None) -> None:
    if component is None:
        raise Forbidden(
            "this token may not look at all components",
            hint="name one: component=" + " or ".join(sorted(caller.components or ())),
        )
    if not caller.may_act_for(component):
        raise Forbidden(f"this token may not act for {component}")
