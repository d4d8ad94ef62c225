"""Who is turned away when more come than can be served, how soon, and until when."""

from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import Busy
from protocols.http.crowd import LEAST, LOOK_S, Crowd
from protocols.ledger import Release, Reserve
from protocols.message import DAEMON

BURST, WAIT_S = 500, 0.05
RESERVE = Reserve(component="apollo", model="gpt-4o")


class Day:
    """A crowd and a clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 100.0
        self.crowd = Crowd(BURST, WAIT_S, lambda: self.at)

    def come(self, count: int) -> int:
        """So many come; how many are let in."""
        before = self.crowd.waiting
        for _ in range(count):
            if self.crowd.turns_away() is None:
                self.crowd.enter()
        return self.crowd.waiting - before

    def serve(self, count: int, within_s: float) -> None:
        """So many are answered, at an even pace."""
        for _ in range(count):
            self.at += within_s / count
            self.crowd.leave()

    def overrun(self, rate: int, seconds: float) -> None:
        """More come than are answered, all the time."""
        for _ in range(round(seconds * 100)):
            self.serve(min(rate // 100, self.crowd.waiting), 0.01)
            self.come(rate // 20)


@pytest.fixture
def day() -> Day:
    return Day()


def test_a_burst_is_let_in_whole_however_slow_it_was_before(day: Day) -> None:
    day.come(1)
    day.serve(1, within_s=10.0)

    assert day.come(BURST) == BURST
    assert day.come(1) == 0
    assert day.crowd.turned_away == 1


def test_past_the_burst_only_as_many_wait_as_are_answered_in_a_moment(day: Day) -> None:
    day.overrun(rate=4_000, seconds=2.0)

    assert day.crowd.waiting == pytest.approx(4_000 * WAIT_S, rel=0.1)


def test_a_slow_daemon_lets_fewer_wait_but_enough_to_share_a_commit(day: Day) -> None:
    day.overrun(rate=400, seconds=5.0)

    assert day.crowd.waiting == LEAST


def test_it_is_over_when_nobody_had_to_be_turned_away_for_a_while(day: Day) -> None:
    day.overrun(rate=4_000, seconds=1.0)
    day.serve(day.crowd.waiting, within_s=2 * LOOK_S)
    day.come(1)
    day.serve(1, within_s=LOOK_S)

    assert day.come(BURST) == BURST


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900), st.floats(0.001, 2.0))))
def test_never_more_wait_than_a_burst_and_few_enough_are_always_let_in(
    story: list[tuple[int, int, float]],
) -> None:
    day = Day()
    for come, answered, within_s in story:
        let_in = day.come(come)
        assert LEAST <= day.crowd.most <= BURST
        assert day.crowd.waiting <= BURST
        assert let_in == come or day.crowd.waiting >= day.crowd.most
        if count := min(answered, day.crowd.waiting):
            day.serve(count, within_s)


@pytest.mark.anyio
async def test_doors_that_wait_are_of_the_same_crowd_and_holds_make_room() -> None:
    crowd, asked, go = Crowd(burst=1), anyio.Event(), anyio.Event()

    async def answer(*_: object) -> Any:
        asked.set()
        await go.wait()

    ask = crowd.asking(answer)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, "ledger:apollo", RESERVE, DAEMON)
            await asked.wait()
            with pytest.raises(Busy):
                await ask("ledger:rhetor", RESERVE, DAEMON)
            go.set()
            await ask("hold:rsv_1", Release(reservation_id=f"rsv_{'0' * 32}"), DAEMON)

    assert crowd.waiting == 0
