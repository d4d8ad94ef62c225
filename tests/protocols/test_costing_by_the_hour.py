"""Prices that change with the hour, and with how long a request is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.costing import cost
from protocols.prices import Hours, LongContext, PriceBook, PriceVersion, Tariff
from protocols.prices.kept import from_body, to_body
from protocols.usage import Usage

D = Decimal


def rates(read: str, written: str) -> dict[str, Decimal]:
    return {"input": D(read), "output": D(written)}


NIGHT = Hours(16 * 60 + 30, 30, Tariff(rates("1", "2")))
WEEKEND = Hours(0, 1440, Tariff(rates("0.5", "1")), frozenset({5, 6}))
BY_THE_HOUR = PriceVersion("d/d@1", "d", "d", rates("2", "4"), hours=(NIGHT, WEEKEND))
TIERS = PriceVersion(
    "q/q@1",
    "q",
    "q",
    rates("1", "10"),
    long_context=LongContext(
        32_000, rates("2", "20"), beyond=LongContext(256_000, rates("4", "40"), inclusive=True)
    ),
)
MILLION = Usage(counts={"input": 1_000_000})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "usd"),
    [
        ("2026-11-25T12:00:00+00:00", "2"),  # a Wednesday's noon
        ("2026-11-25T16:29:59+00:00", "2"),
        ("2026-11-25T16:30:00+00:00", "1"),  # the first minute of the night
        ("2026-11-26T00:29:59+00:00", "1"),  # past midnight it is still the same window
        ("2026-11-26T00:30:00+00:00", "2"),
        ("2026-11-28T12:00:00+00:00", "0.5"),  # a Saturday
        ("2026-11-25T20:00:00+08:00", "2"),  # noon in UTC, whatever the zone it is told in
    ],
)
def test_the_moment_decides_the_rates(moment: str, usd: str) -> None:
    found = cost(MILLION, BY_THE_HOUR, at=at(moment))
    assert (found.exact_usd, found.estimated) == (D(usd), False)


def test_a_window_over_midnight_belongs_to_the_day_it_starts_on() -> None:
    friday = replace(BY_THE_HOUR, hours=(replace(NIGHT, weekdays=frozenset({4})),))
    assert cost(MILLION, friday, at=at("2026-11-28T00:10:00+00:00")).exact_usd == 1
    assert cost(MILLION, friday, at=at("2026-11-27T00:10:00+00:00")).exact_usd == 2


def test_without_a_moment_the_dearest_hour_is_charged_and_called_an_estimate() -> None:
    found = cost(MILLION, BY_THE_HOUR)
    assert (found.exact_usd, found.estimated) == (D(2), True)


def test_a_kind_that_the_hour_is_silent_on_pays_no_less_than_its_parent() -> None:
    cached = replace(BY_THE_HOUR, rates=rates("2", "4") | {"cache_read": D("0.2")})
    usage = Usage(counts={"cache_read": 1_000_000})
    found = cost(usage, cached, at=at("2026-11-25T20:00:00+00:00"))
    assert (found.exact_usd, found.estimated) == (D(1), True)


@pytest.mark.parametrize(
    ("tokens", "rate"),
    [(32_000, 1), (32_001, 2), (255_999, 2), (256_000, 4), (900_000, 4)],
)
def test_the_last_tier_that_the_input_reaches_prices_the_whole_request(
    tokens: int, rate: int
) -> None:
    found = cost(Usage(counts={"input": tokens, "output": 10}), TIERS)
    assert found.exact_usd == (D(tokens) * rate + 100 * rate) / 1_000_000


def test_hours_and_tiers_survive_being_written_down() -> None:
    for version in (BY_THE_HOUR, TIERS):
        assert from_body(version.id, to_body(version)) == version


@given(
    minutes=st.integers(0, 7 * 1440 - 1),
    zone=st.integers(-12, 14),
    read=st.integers(1, 10**7),
    written=st.integers(0, 10**6),
)
def test_no_hour_and_no_tier_costs_more_than_the_envelope(
    minutes: int, zone: int, read: int, written: int
) -> None:
    usage = Usage(counts={"input": read, "output": written})
    moment = (datetime(2026, 11, 23, tzinfo=UTC) + timedelta(minutes=minutes)).astimezone(
        timezone(timedelta(hours=zone))
    )
    for version in (BY_THE_HOUR, TIERS):
        dearest = PriceBook([version], "1").dearest(version.provider)
        most = cost(usage, dearest).exact_usd
        exact = cost(usage, version, at=moment).exact_usd
        assert exact <= cost(usage, version).exact_usd <= most
