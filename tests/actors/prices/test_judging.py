"""No price is applied that is not beyond doubt, and every doubt has a name."""

from dataclasses import replace
from decimal import Decimal

import pytest

from actors.prices.judge import Outcome, Verdict, judge
from actors.prices.votes import camps, merged
from protocols.prices.offer import Offer
from protocols.prices.version import Hours, LongContext, Tariff
from tests.actors.prices.offers import offer, version, vote

NOW = version(offer("3", "15"))


def said(*offers: Offer) -> Verdict:
    """Judge what so many independent sources say against 3 / 15."""
    return judge([vote(f"s{n}", one) for n, one in enumerate(offers)], NOW)


def test_two_families_that_agree_are_applied_for_a_new_model() -> None:
    verdict = judge([vote("a", offer("3", "15")), vote("b", offer("3", "15"))], None)
    assert verdict.outcome is Outcome.APPLIED
    assert verdict.state == "agreed: a, b"


def test_two_files_of_one_family_are_one_vote() -> None:
    verdict = judge(
        [vote("a", offer("4", "20"), "litellm"), vote("copy", offer("4", "20"), "litellm")], NOW
    )
    assert (verdict.outcome, verdict.guard) == (Outcome.QUARANTINED, "single-source")


def test_a_new_model_that_one_family_names_is_single_and_says_so() -> None:
    verdict = judge([vote("a", offer("3", "15"))], None)
    assert (verdict.outcome, verdict.state) == (Outcome.SINGLE, "single: a")
    assert verdict.offer is not None


def test_what_is_in_force_is_confirmed_by_two_and_stays_single_by_one() -> None:
    assert said(offer("3", "15"), offer("3", "15")).outcome is Outcome.CONFIRMED
    alone = said(offer("3", "15"))
    assert (alone.outcome, alone.offer) == (Outcome.SINGLE, None)


def test_two_against_one_is_a_majority_and_two_against_two_is_none() -> None:
    three = said(offer("4", "20"), offer("4", "20"), offer("6", "30"))
    assert three.outcome is Outcome.APPLIED
    split = said(offer("4", "20"), offer("4", "20"), offer("5", "25"), offer("5", "25"))
    assert (split.outcome, split.guard) == (Outcome.QUARANTINED, "disputed")
    assert set(split.says) == {"s0", "s1", "s2", "s3"}


def test_a_dispute_in_which_somebody_says_what_is_in_force_changes_nothing() -> None:
    assert said(offer("3", "15"), offer("6", "30")).outcome is Outcome.CONFIRMED


@pytest.mark.parametrize(
    ("read", "written", "guard", "severity"),
    [
        ("7.5", "37.5", None, None),  # 2.5 times: moves so far were seen
        ("15", "75", None, None),  # five times, and nobody dissents
        ("15.1", "75.5", "leap", "warning"),
        ("0.5", "2.5", "leap", "warning"),
        ("31", "155", "leap", "critical"),
        ("0", "0", "zero", "critical"),
    ],
)
def test_how_far_a_price_may_move_by_itself(
    read: str, written: str, guard: str | None, severity: str | None
) -> None:
    verdict = said(offer(read, written), offer(read, written))
    if guard is None:
        assert verdict.outcome is Outcome.APPLIED
    else:
        assert (verdict.outcome, verdict.guard) == (Outcome.QUARANTINED, guard)
        assert verdict.severity == severity


def test_from_zero_waits_for_a_person_too() -> None:
    free = version(offer("0", "0"))
    verdict = judge([vote("a", offer("3", "15")), vote("b", offer("3", "15"))], free)
    assert (verdict.outcome, verdict.guard) == (Outcome.QUARANTINED, "zero")


def test_a_wide_move_waits_while_somebody_with_a_newer_file_dissents() -> None:
    agree = [vote("a", offer("9", "45"), since_ms=10), vote("b", offer("9", "45"), since_ms=20)]
    stale = vote("c", offer("3", "15"), since_ms=5)
    fresh = vote("c", offer("3", "15"), since_ms=30)
    assert judge([*agree, stale], NOW).outcome is Outcome.APPLIED
    waiting = judge([*agree, fresh], NOW)
    assert (waiting.outcome, waiting.guard) == (Outcome.QUARANTINED, "move")


def test_a_majority_that_never_said_anything_else_is_no_news() -> None:
    """Four of five sources had the old price of mistral-small-latest for months."""
    loyal = vote("c", offer("3", "15"))
    waiting = judge([vote("a", offer("4", "20")), vote("b", offer("4", "20")), loyal], NOW)
    assert (waiting.outcome, waiting.guard) == (Outcome.QUARANTINED, "stale")
    changed = [vote("a", offer("4", "20"), since_ms=1), vote("b", offer("4", "20"), since_ms=2)]
    assert judge([*changed, loyal], NOW).outcome is Outcome.APPLIED


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (offer("15000", "60000"), "above"),
        (offer("0.000003", "0.000015"), "below"),
        (offer("3", "0"), "output is 0"),
        (offer("3", "15", cache_read="4"), "cache_read is dearer"),
    ],
)
def test_the_impossible_is_rejected_whoever_says_it(wrong: Offer, why: str) -> None:
    verdict = said(wrong, wrong, wrong)
    assert (verdict.outcome, verdict.guard) == (Outcome.REJECTED, "range")
    assert why in verdict.detail


def test_an_impossible_vote_does_not_stop_two_good_ones() -> None:
    verdict = said(offer("15000", "60000"), offer("4", "20"), offer("4", "20"))
    assert verdict.outcome is Outcome.APPLIED


def test_swapped_input_and_output_of_a_new_model_need_a_person() -> None:
    verdict = judge([vote("a", offer("15", "3")), vote("b", offer("15", "3"))], None)
    assert (verdict.outcome, verdict.guard) == (Outcome.QUARANTINED, "ratio")


def test_zero_by_one_source_is_not_free() -> None:
    verdict = judge([vote("a", offer("0", "0"))], None)
    assert (verdict.outcome, verdict.guard) == (Outcome.QUARANTINED, "zero")


def test_a_part_on_which_the_agreeing_differ_is_left_out() -> None:
    (camp,) = camps(
        [vote("a", offer("3", "15", cache_read="0.3")), vote("b", offer("3", "15", cache_read="1"))]
    )
    price, disputed = merged(camp)
    assert "cache_read" not in price.rates
    assert disputed == ["cache_read"]


def test_a_part_that_most_families_name_alike_is_taken() -> None:
    reads = ("0.3", "0.3", "1")
    (camp,) = camps(
        [vote(f"s{n}", offer("3", "15", cache_read=read)) for n, read in enumerate(reads)]
    )
    assert merged(camp)[0].rates["cache_read"] == Decimal("0.3")


def test_a_rate_that_its_parent_stands_in_for_is_no_change() -> None:
    assert said(offer("3", "15", cache_write_5m="3"), offer("3", "15")).outcome is Outcome.CONFIRMED


def test_the_threshold_of_long_requests_must_be_agreed() -> None:
    low = replace(offer("3", "15"), long_context=LongContext(200_000, {"input": Decimal(6)}))
    high = replace(offer("3", "15"), long_context=LongContext(272_000, {"input": Decimal(6)}))
    (camp,) = camps([vote("a", low), vote("b", high)])
    price, disputed = merged(camp)
    assert disputed == ["long threshold"]
    assert price.long_context is not None
    assert price.long_context.threshold == 200_000, "the one that is sooner dearer"


def test_sources_that_write_the_hours_the_other_way_round_agree() -> None:
    night = Tariff({"input": Decimal(1), "output": Decimal(2)})
    day = Tariff({"input": Decimal(2), "output": Decimal(4)})
    by_peak = replace(offer("2", "4"), hours=(Hours(990, 30, night),))
    by_night = replace(offer("1", "2"), hours=(Hours(30, 990, day),))
    verdict = judge([vote("a", by_peak), vote("b", by_night)], None)
    assert verdict.outcome is Outcome.APPLIED
    assert verdict.offer is not None
    assert verdict.offer.hours
