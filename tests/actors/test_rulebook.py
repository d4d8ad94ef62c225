"""Which counters stay in memory: the open ones, and closed ones that still hold something."""

import sys

import pytest

from actors.policy.counter import Counter
from actors.policy.rule import Rule
from actors.policy.rulebook import HELD_MS, Rulebook
from protocols.period import Window, window_at
from protocols.policy.policy import Policy

HOUR_MS = 3_600_000
NOW_MS = 1_795_000_000_000


class Book:
    """A rulebook with one rule."""

    def __init__(self, period: str) -> None:
        limit = {"calls": 9}
        policy = Policy.model_validate({"name": "p", "limit": limit, "period": period})
        self.rule = Rule(policy, 1, 1, "me", NOW_MS)
        self.rules = Rulebook()
        self.rules.put(self.rule)

    def open(self, key: str = "", ends_ms: int | None = None) -> Counter:
        policy = self.rule.policy
        window = window_at(policy.period, policy.zone, NOW_MS)
        if ends_ms is not None:
            window = Window(window.starts_ms, ends_ms)
        counter = Counter(0, "p", 1, key, window)
        self.rules.open(self.rule, counter, len(self.rules.counters) + 1)
        return counter


@pytest.mark.parametrize("period", ["hourly", "rolling:1h"])
def test_a_closed_window_is_let_go_with_its_meter(period: str) -> None:
    book = Book(period)
    counter = book.open()

    book.rules.forget(counter.window.ends_ms - 1)
    assert book.rules.counters
    assert book.rule.meters

    book.rules.forget(counter.window.ends_ms)
    assert not book.rules.counters
    assert not book.rule.meters


def test_a_closed_window_that_holds_something_is_kept_until_it_does_not() -> None:
    book = Book("hourly")
    counter = book.open()
    counter.hold(2, 1)

    book.rules.forget(counter.window.ends_ms)
    assert book.rules.counters == {1: counter}
    assert not book.rule.meters

    counter.hold(2, -1)
    book.rules.forget(counter.window.ends_ms + HELD_MS)
    assert not book.rules.counters


def test_the_meter_of_a_later_window_stays() -> None:
    book = Book("hourly")
    first = book.open()
    second = book.open(ends_ms=first.window.ends_ms + HOUR_MS)

    book.rules.forget(first.window.ends_ms)

    assert book.rules.counters == {2: second}
    assert book.rule.meters == {"": second}


def test_open_windows_are_not_looked_at_however_many_there_are() -> None:
    def steps(sessions: int) -> int:
        book, count = Book("per_session"), 0
        for number in range(sessions):
            book.open(f"s-{number}")

        def heard(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(heard)
        try:
            book.rules.forget(NOW_MS + HOUR_MS)
        finally:
            sys.setprofile(None)
        return count

    assert steps(1_000) == steps(1)


def test_how_a_window_is_told_is_made_at_the_first_question_and_then_kept() -> None:
    counter = Book("hourly").open()

    with pytest.raises(AttributeError):
        object.__getattribute__(counter, "written")
    assert counter.written is counter.written
    assert counter.shown.ends is not None
    assert not hasattr(counter, "unheard_of")
