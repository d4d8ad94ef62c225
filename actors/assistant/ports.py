"""The world as the assistant sees it: a language model, and a desk where operations are done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from protocols.message import Caller


@dataclass(slots=True)
class ToolCall:
    """What a language model wants to be told. `arguments` is the JSON it wrote, right or wrong."""

    id: str
    name: str
    arguments: str


@dataclass(slots=True)
class Turn:
    """One answer of a language model: words, or tools it wants called."""

    text: str
    calls: list[ToolCall]
    usage: dict[str, Any] | None
    """The provider's usage object as it came; None if it sent none."""


class ModelFailed(Exception):
    """A language model gave no whole answer. `heard` is what came before it broke off."""

    def __init__(self, detail: str, heard: str | None = None) -> None:
        super().__init__(detail)
        self.heard = heard


class LanguageModel(Protocol):
    """One model at one address. Messages and tools are those of the chat completions API."""

    provider: str
    name: str

    async def complete(
        self,
        messages: list[dict[str, Any]],
        tools: list[dict[str, Any]],
        output_max: int,
        hear: Callable[[str], None],
    ) -> Turn:
        """Its next turn; `hear` is told what it has said so far. Raises `ModelFailed`."""
        ...


class Desk(Protocol):
    """Operations of the table by name, as a door performs them: validated, with role and scope."""

    def check(self, operation: str, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields as the operation understands them. Raises `Invalid`."""
        ...

    async def perform(
        self, operation: str, fields: dict[str, Any], caller: Caller
    ) -> dict[str, Any]:
        """The reply as JSON values. Raises `BudgetError`."""
        ...
