"""A walk through the past holds up no stop: whoever wanted it has been refused by then."""

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from actors.hindsight.hindsight import Hindsight
from actors.runtime import NOBODY, ActorLoop
from actors.time import LedgerTime
from protocols.hindsight import Replay
from protocols.journal import FoldPast
from protocols.tiers import DEFAULT
from tests.actors.test_hindsight import ROUTER
from tests.harness.clock import FakeClock
from tests.properties.book import book

pytestmark = pytest.mark.anyio


async def test_a_stop_ends_the_walks_that_are_under_way() -> None:
    told: list[FoldPast] = []

    def tell(_to: str, message: Any, call: Any = NOBODY) -> None:
        told.append(message)
        calls.append(call)

    calls: list[Any] = []
    async with ActorLoop():
        time = LedgerTime(FakeClock(10**12))
        ref = Hindsight.start(tell, time, book, DEFAULT, ROUTER)
        ref.tell(Replay(span="last_7_days", wait=False))
        with anyio.fail_after(10):
            while not told:
                await anyio.lowlevel.checkpoint()
            assert not told[0].stop
            await ref.stop(block=False)
            assert told[0].stop
        calls[0].answer(True)  # noqa: FBT003  # the journal's last word
