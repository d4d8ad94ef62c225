"""What a flow asks of whoever walks it, a thread that waits or a coroutine."""

from collections.abc import Generator
from typing import Any, NamedTuple, TypeVar

from tekton_budget.ask import Ask

R = TypeVar("R")


class Send(NamedTuple):
    """Send this; the flow goes on with the answer's JSON, or with the error."""

    ask: Ask[Any]


class Wait(NamedTuple):
    seconds: float


Step = Send | Wait
Flow = Generator[Step, Any, R]
