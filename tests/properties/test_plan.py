"""A plan says of a call that is far from every limit just what the full judgement would."""

from hypothesis import given
from hypothesis import strategies as st

from actors.policy import decide
from actors.policy.counter import Charge, Counter
from actors.policy.plan import Plan
from actors.policy.rule import Rule
from actors.policy.rulebook import Seat
from protocols.period import Window
from protocols.policy.charge import Amounts
from protocols.policy.policy import Policy

WINDOW = Window(1_790_000_000_000, 1_790_086_400_000)
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "usd": st.integers(0, 3_000_000_000).map(lambda n: f"{n / 1e9:.9f}"),
        "tokens": st.integers(0, 3_000),
        "calls": st.integers(0, 30),
    },
).filter(bool)
LEVELS = st.tuples(st.integers(0, 2_000_000_000), st.integers(0, 2_000), st.integers(0, 20))


@st.composite
def seats(draw: st.DrawFn) -> list[Seat]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        policy = Policy.model_validate(
            {
                "name": f"policy-{number}",
                "limit": draw(LIMITS),
                "period": draw(st.sampled_from(["daily", "rolling:5h"])),
                "enforce": draw(st.sampled_from(["hard", "soft", "warn", "ignore"])),
                "warn_at": draw(st.sampled_from([[], [0.5], [0.5, 0.9]])),
            }
        )
        rule = Rule(policy, 1, 1, "root", 0)
        counter = Counter(number + 1, policy.name, 1, "", WINDOW, Amounts(*draw(LEVELS)))
        rule.attach(counter)
        Charge("rsv", "apollo", (counter,), Amounts(), 0.0).take_all(Amounts(*draw(LEVELS)))
        found.append(Seat(rule, counter.meter, counter))
    return found


def lefts(pairs: list[decide.Seat], amounts: Amounts) -> list[int]:
    return [
        rule.limits[axis] - meter.used[axis] - meter.held[axis] - amounts[axis]
        for rule, meter in pairs
        for axis in rule.axes
    ]


@given(seats(), LEVELS, st.integers(1, 10))
def test_what_is_quiet_is_judged_and_told_as_at_length(
    seats: list[Seat], asked: tuple[int, int, int], priority: int
) -> None:
    amounts, plan = Amounts(*asked), Plan(seats, WINDOW.ends_ms)
    pairs = [(rule, meter) for rule, meter, _ in seats]
    verdict = decide.judge(pairs, amounts, priority)

    figures = plan.quiet(amounts)

    past = any(left <= 0 for left in lefts(pairs, amounts))  # where nobody cares: it is ignored
    assert (figures is None) == (verdict.near or past)
    if figures is not None:
        assert not verdict.refusal
        assert not verdict.warnings
        Charge("rsv", "apollo", plan.counters, Amounts(), 0.0).take_all(amounts)
        assert figures.text == decide.written(pairs).text
