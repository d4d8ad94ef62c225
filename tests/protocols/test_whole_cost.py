"""The short way to a cost ends where the long way does, to the last nano-dollar."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from protocols.costing import cost
from protocols.errors import Unpriced
from protocols.money import round_half_even, round_up
from protocols.prices import LongContext, PriceVersion, Tariff
from protocols.usage import KINDS, Usage
from protocols.whole_cost import cost_of_booking, cost_of_hold

rate = st.decimals(0, 1000, allow_nan=False, places=17) | st.decimals(0, 1000, places=2)
tables = st.dictionaries(st.sampled_from(sorted(KINDS)), rate, max_size=6)


@st.composite
def versions(draw: st.DrawFn) -> PriceVersion:
    longer = draw(tables)
    return PriceVersion(
        id="p/m@1",
        provider="p",
        model="m",
        rates=draw(tables),
        unit_rates=draw(tables),
        long_context=draw(st.none() | st.just(LongContext(1000, longer))),
        modes=draw(st.just({}) | st.just({"batch": Tariff(longer)})),
        regions=draw(st.just({}) | st.just({"us": Decimal("1.1")})),
        free=draw(st.booleans()),
        estimated=draw(st.booleans()),
    )


usages = st.builds(
    Usage,
    counts=st.dictionaries(st.sampled_from(sorted(KINDS)), st.integers(0, 10**7), max_size=5),
    mode=st.sampled_from(["standard", "batch", "fast"]),
    region=st.sampled_from([None, "us"]),
)


@given(usages, versions())
def test_whole_numbers_and_exact_decimals_agree(usage: Usage, version: PriceVersion) -> None:
    try:
        exact = cost(usage, version)
    except Unpriced:
        exact = None
    for _ in range(2):  # what was worked out once is remembered
        try:
            found = cost_of_hold(usage, version), cost_of_booking(usage, version)
        except Unpriced:
            assert exact is None
            continue
        assert exact is not None
        booked = round_half_even(exact.exact_usd), exact.estimated
        assert found == (round_up(exact.exact_usd), booked)


def test_a_half_goes_to_the_even_neighbour() -> None:
    version = PriceVersion(id="a", provider="a", model="a", rates={"input": Decimal("0.0005")})

    assert [cost_of_booking(Usage({"input": n}), version)[0] for n in (1, 3, 5)] == [0, 2, 2]
