"""What is done next about Hermes, whatever Hermes does."""

from hypothesis import given
from hypothesis import strategies as st

from actors.hermes.membership import (
    Entered,
    Failed,
    Fine,
    Membership,
    Outcome,
    Pace,
    Step,
    Unknown,
    after,
    left,
)

PACE = Pace()
LONGEST_S = max(PACE.heartbeat_s, PACE.retry_max_s)
outcomes = st.lists(st.sampled_from([Fine(), Unknown("forgotten"), Failed("timeout: 5 s")]))


def answer(step: Step, outcome: Outcome) -> Outcome:
    """What goes well with a registration gives a token."""
    return Entered("secret") if step is Step.REGISTER and isinstance(outcome, Fine) else outcome


@given(outcomes)
def test_there_is_always_something_to_do_within_a_minute(outcomes: list[Outcome]) -> None:
    known, now = Membership(), 0.0
    for outcome in outcomes:
        now = max(now, min(known.next_at.values()))
        step = known.due(now)
        assert step is not None
        known = after(known, step, answer(step, outcome), now, PACE)
        assert min(known.next_at.values()) - now <= LONGEST_S
        assert known.state == "trying" or known.token is not None
        assert known.failures == 0 or known.failure is not None
        assert "secret" not in repr(known)


def test_a_lost_hermes_is_asked_ever_more_seldom_and_first_whether_it_knows_us() -> None:
    known = after(Membership(), Step.REGISTER, Entered("token"), 0.0, PACE)
    pauses, now = [], 0.0
    for _ in range(8):
        known = after(known, Step.BEAT, Failed("away"), now, PACE)
        pause_s = known.next_at[Step.LOOK] - now
        pauses.append(pause_s)
        now += pause_s
        assert known.due(now) is Step.LOOK

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert after(known, Step.LOOK, Fine(), now, PACE).state == "registered"


def test_a_token_is_renewed_before_hermes_lets_it_die() -> None:
    known = after(Membership(), Step.REGISTER, Entered("token"), 0.0, PACE)

    assert known.due(3299.0) is not Step.REGISTER
    assert known.due(3300.0) is Step.REGISTER


def test_who_has_left_does_nothing_more() -> None:
    known = after(Membership(), Step.REGISTER, Entered("token"), 0.0, PACE)
    gone = left(known)

    assert gone.due(1e9) is None
    assert after(gone, Step.BEAT, Unknown("forgotten"), 5.0, PACE) == gone
