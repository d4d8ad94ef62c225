"""One request in Tekton's words: it is understood, asked in ours, and answered in Tekton's."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from protocols.http.invalid import invalid
from protocols.http.verb import Verb
from protocols.message import Ask, Caller
from protocols.tekton.spoken import Spoken


class Speaker:
    """Asks operations of the table as the caller, with their roles and scope and no others."""

    def __init__(
        self,
        verbs: Mapping[str, Verb],
        ask: Ask,
        caller: Caller,
        now_ms: int,
        key: tuple[str, str, bytes] | None = None,
    ) -> None:
        self.caller = caller
        self.now_ms = now_ms
        self._verbs = verbs
        self._ask = ask
        self._key = key
        """Idempotency-Key, path and body."""

    async def ask(self, operation: str, **fields: Any) -> Any:
        """The reply itself. What is None is left out. Raises the operation's refusals."""
        verb = self._verbs[operation]
        verb.admit(self.caller)
        given = {name: value for name, value in fields.items() if value is not None}
        message = verb.understand(given)
        to = verb.address(message, self.caller)
        caller = self.caller if self._key is None else verb.keyed(self.caller, *self._key)
        return await self._ask(to, message, caller)

    async def every(self, operation: str, **fields: Any) -> list[Any]:
        """All pages of a list."""
        found: list[Any] = []
        cursor = None
        while True:
            told = await self.ask(operation, **fields, limit=1000, cursor=cursor)
            found += told.items
            cursor = told.next_cursor
            if cursor is None:
                return found


@dataclass(frozen=True, slots=True)
class Word:
    """One route of Tekton's: what it is asked with, and who answers."""

    method: Literal["GET", "POST", "PUT"]
    path: str
    asked: type[Spoken]
    answer: Callable[[Speaker, Any], Awaitable[object]]
    status: int = 200

    def understand(self, fields: dict[str, Any]) -> Spoken:
        try:
            return self.asked.model_validate(fields)
        except ValidationError as error:
            raise invalid(self.asked, fields, error) from None

    def is_meant(self, fields: Mapping[str, Any], ours: Iterable[str]) -> bool:
        """Whether a body that our own operation does not understand is one of these."""
        known = self.asked.model_fields
        tektons = {*known, *(field.alias for field in known.values())}
        return fields.keys() <= tektons and not fields.keys() <= set(ours)
