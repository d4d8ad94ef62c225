"""Our operations for the assistant: through the checks of every door, as whoever it asks for."""

from typing import Any

from pydantic_core import from_json

from protocols.errors import Invalid
from protocols.http.verb import Verb
from protocols.message import Ask, Caller
from protocols.operations import BY_NAME

Json = dict[str, Any]


class OwnDesk:
    """What a caller may not do over HTTP, the assistant may not do for them."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._verbs: dict[str, Verb] = {}
        """Those that were needed so far."""

    def check(self, operation: str, fields: Json) -> Json:
        message = self._verb(operation).understand(fields)
        return message.model_dump(mode="json", exclude={"why"})

    async def perform(self, operation: str, fields: Json, caller: Caller) -> Json:
        verb = self._verb(operation)
        verb.admit(caller)
        reply: Json = from_json(await verb.ask(verb.understand(fields), caller))
        return reply

    def _verb(self, operation: str) -> Verb:
        verb = self._verbs.get(operation)
        if verb is None:
            if operation not in BY_NAME:
                raise Invalid(f"there is no operation {operation[:64]}")
            verb = self._verbs[operation] = Verb(BY_NAME[operation], self._ask)
        return verb
