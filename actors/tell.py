"""How one actor speaks to another: by name, the call riding along. Never waits, never refused."""

from typing import Any, Protocol

from protocols.message import Call


class Tell(Protocol):
    def __call__(self, to: str, message: object, call: Call[Any]) -> None: ...
