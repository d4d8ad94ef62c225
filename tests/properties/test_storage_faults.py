"""The disk fails under many callers at once: what was answered stays, what was not is repeated."""

from contextlib import closing

import pytest

from protocols.errors import Unavailable
from protocols.ledger import ListReservations, Reserve
from tests.harness.house import Ask, World
from tests.harness.store import Breaking
from tests.properties.answers import plain
from tests.properties.book import book

CALLERS = 40


@pytest.mark.parametrize("breaking", ["before", "after"])
@pytest.mark.parametrize("answered", [0, 1, 5])
@pytest.mark.parametrize("apart", [0, 1, 2, 3])
def test_a_failed_commit_loses_nothing_that_was_answered(
    breaking: Breaking, answered: int, apart: int
) -> None:
    """Every caller repeats its key with the next daemon: each call is held once, none twice."""
    asks = [
        Ask(
            "reserve",
            Reserve(component=f"c{caller % 3}", provider="openai", model="small", usd="0.01"),
            key=f"{caller}",
        )
        for caller in range(CALLERS)
    ]
    with closing(World(1_767_225_540_000, book())) as world:
        before = [world.ask(ask) for ask in asks[:answered]]
        world.break_the_store(breaking)
        before += world.ask_at_once(asks[answered:], apart=apart)
        assert "unknown" in [a.facts["outcome"] for a in before if isinstance(a, Unavailable)]
        world.crash()
        assert world.verify().problems == []
        again = world.ask_at_once(asks)
        assert not any(isinstance(answer, Unavailable) for answer in again)
        for first, second in zip(before, again, strict=True):
            assert isinstance(first, Unavailable) or plain(first) == plain(second)
        held = world.ask(Ask("list_reservations", ListReservations(status="held")))
        assert len(held.items) == CALLERS
        assert world.verify().problems == []
