"""How a tool of Tekton's asks our operations: by name, with the checks of every door."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from protocols.http.verb import Verb
from protocols.message import Caller

Json = dict[str, Any]


class Desk:
    """Asks operations by name, for one caller, with the checks of every door."""

    def __init__(self, verbs: Mapping[str, Verb], caller: Caller) -> None:
        self._verbs = verbs
        self._caller = caller

    async def ask(self, operation: str, **fields: Any) -> Json:
        """Leave out what is empty: Tekton writes "" where we write nothing."""
        verb = self._verbs[operation]
        verb.admit(self._caller)
        message = verb.understand({name: value for name, value in fields.items() if value != ""})
        answer: Json = from_json(await verb.ask(message, self._caller))
        return answer

    def whom(self, component: str) -> str:
        """Whose work it is, where Tekton does not say: the caller's own."""
        own = sorted(self._caller.components or ())
        return component or (own[0] if own else self._caller.name)
