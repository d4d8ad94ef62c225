"""Our operations for the assistant: through the checks of every door, as whoever it asks for."""

from typing import Any

from pydantic_core import from_json

from protocols.errors import Invalid
from protocols.http.verb import Verb
from protocols.message import Ask, Caller
from protocols.operations import OPERATIONS

Json = dict[str, Any]


class OwnDesk:
    """What a caller may not do over HTTP, the assistant may not do for them."""

    def __init__(self, ask: Ask) -> None:
        self._verbs = {operation.name: Verb(operation, ask) for operation in OPERATIONS}

    def check(self, operation: str, fields: Json) -> Json:
        message = self._verb(operation).understand(fields)
        return message.model_dump(mode="json", exclude={"why"})

    async def perform(self, operation: str, fields: Json, caller: Caller) -> Json:
        verb = self._verb(operation)
        verb.admit(caller)
        reply: Json = from_json(await verb.ask(verb.understand(fields), caller))
        return reply

    def _verb(self, operation: str) -> Verb:
        if operation not in self._verbs:
            raise Invalid(f"there is no operation {operation[:64]}")
        return self._verbs[operation]
