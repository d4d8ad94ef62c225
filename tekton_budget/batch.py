"""Several asks in one request, each with an outcome of its own."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tekton_budget.ask import PREFIX, Ask, Json, compact
from tekton_budget.errors import BudgetError
from tekton_budget.item import item, outcome
from tekton_budget.steps import Flow, Send

OPERATIONS_MAX = 1000
BYTES_MAX = 1_000_000
"""Both as the daemon takes them, unless it is set otherwise."""


def at_once(asks: Sequence[Ask[Any]]) -> Flow[list[Json | BudgetError]]:
    """Their outcomes, in order. Raises what befalls the request as a whole."""
    answer = yield Send(Ask("POST", f"{PREFIX}/batch", {"operations": [*map(_item, asks)]}, dict))
    return [outcome(told) for told in answer["results"]]


def cut(asks: Sequence[Ask[Any]], numbers: Iterable[int]) -> Iterator[list[int]]:
    """These of the asks, by number, in as few requests as the daemon takes."""
    some: list[int] = []
    room = BYTES_MAX
    for number in numbers:
        size = len(compact(_item(asks[number]))) + 1
        if some and (len(some) == OPERATIONS_MAX or size > room):
            yield some
            some, room = [], BYTES_MAX
        some.append(number)
        room -= size
    if some:
        yield some


def _item(ask: Ask[Any]) -> Json:
    found = item(ask)
    if found is None:
        raise ValueError(f"{ask.method} {ask.target} goes by itself, not among others")
    return found
