"""Where a plain rate leads: the figures of a budget half-way through its window."""

import pytest

from actors.policy.counter import Counter
from actors.policy.pace import pace
from actors.policy.rule import Rule
from protocols.period import DAY_MS, HOUR_MS, window_at
from protocols.policy.policy import Policy
from protocols.reports import Pace

START_MS = 20_000 * DAY_MS


def at(used_tokens: int, hours: float, **rule: object) -> Pace:
    """A day's limit of 2,400 tokens, so much used after so many hours."""
    told = {"name": "p", "limit": {"tokens": 2400}, "period": "daily"} | rule
    policy = Policy.model_validate(told)
    counter = Counter(1, "p", 1, "", window_at(policy.period, "UTC", START_MS))
    counter.use(1, used_tokens)
    return pace(Rule(policy, 1, 1, "me", 0), counter, 1, START_MS + int(hours * HOUR_MS))


def test_half_of_the_day_and_a_quarter_of_the_budget_end_at_half() -> None:
    found = at(600, 12)

    assert (found.used_share, found.passed_share, found.at_end) == (0.25, 0.5, 1200)
    assert found.runs_out_at is None


def test_twice_too_fast_runs_out_at_noon() -> None:
    found = at(1200, 6)

    assert found.at_end == 4800
    assert found.runs_out_at == "2024-10-04T12:00:00.000Z"


def test_the_first_minutes_of_a_window_say_nothing_yet() -> None:
    found = at(600, 0.1)

    assert found.at_end is None
    assert found.used_share == 0.25


@pytest.mark.parametrize("period", ["total", "per_session"])
def test_what_does_not_pass_has_no_pace(period: str) -> None:
    found = at(600, 12, period=period)

    assert (found.passed_share, found.at_end, found.runs_out_at) == (None, None, None)


def test_a_limit_of_nothing_has_no_share() -> None:
    assert at(600, 12, limit={"tokens": 0}).used_share is None
