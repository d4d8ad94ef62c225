"""The time of a report: which span a name means, and which roll-ups tile it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.reports.span import Run, pieces, runs, spans
from protocols.period import DAY_MS, HOUR_MS, QUARTER_MS, Window
from protocols.reports import ShowReport

NOW = "2026-11-24T13:05Z"


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1000


def shown(window: Window) -> tuple[str, str]:
    starts, ends = (datetime.fromtimestamp(at / 1000, UTC) for at in window)
    return f"{starts:%Y-%m-%d %H:%M}", f"{ends:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("asked", "span", "before"),
    [
        ({}, ("2026-11-01 00:00", "2026-11-24 13:15"), ("2026-10-01 00:00", "2026-10-24 13:15")),
        (
            {"span": "last_month"},
            ("2026-10-01 00:00", "2026-11-01 00:00"),
            ("2026-09-01 00:00", "2026-10-01 00:00"),
        ),
        (
            {"span": "today", "zone": "Asia/Kolkata"},
            ("2026-11-23 18:30", "2026-11-24 13:15"),
            ("2026-11-22 18:30", "2026-11-23 13:15"),
        ),
        (
            {"span": "this_week"},
            ("2026-11-23 00:00", "2026-11-24 13:15"),
            ("2026-11-16 00:00", "2026-11-17 13:15"),
        ),
        (
            {"span": "last_24_hours"},
            ("2026-11-23 13:15", "2026-11-24 13:15"),
            ("2026-11-22 13:15", "2026-11-23 13:15"),
        ),
        (
            {"since": "2026-11-20", "until": "2026-11-22", "zone": "Europe/Berlin"},
            ("2026-11-19 23:00", "2026-11-21 23:00"),
            ("2026-11-17 23:00", "2026-11-19 23:00"),
        ),
    ],
)
def test_a_name_is_a_span_and_the_same_length_before_it(
    asked: dict[str, str], span: tuple[str, str], before: tuple[str, str]
) -> None:
    found = spans(ShowReport.model_validate(asked), ms(NOW))

    assert (shown(found[0]), shown(found[1])) == (span, before)


def test_the_month_before_is_never_longer_than_it_was() -> None:
    _, before = spans(ShowReport(), ms("2026-03-31T12:00Z"))

    assert shown(before) == ("2026-02-01 00:00", "2026-03-01 00:00")


def test_a_piece_is_tiled_with_the_widest_rollups_that_fit() -> None:
    start = ms("2026-11-23T18:30Z")
    ends = start + 2 * DAY_MS

    tiles = runs([Window(start, ends)])

    assert tiles == [
        Run(QUARTER_MS, start, ms("2026-11-23T19:00Z"), 0),
        Run(HOUR_MS, ms("2026-11-23T19:00Z"), ms("2026-11-24T00:00Z"), 0),
        Run(DAY_MS, ms("2026-11-24T00:00Z"), ms("2026-11-25T00:00Z"), 0),
        Run(HOUR_MS, ms("2026-11-25T00:00Z"), ms("2026-11-25T18:00Z"), 0),
        Run(QUARTER_MS, ms("2026-11-25T18:00Z"), ends, 0),
    ]


@given(st.integers(0, 4000), st.integers(1, 4000))
def test_runs_fill_any_piece_without_gap_or_overlap(first: int, length: int) -> None:
    window = Window(first * QUARTER_MS, (first + length) * QUARTER_MS)

    at = window.starts_ms
    for run in runs([window]):
        assert run.starts_ms == at
        assert run.starts_ms % run.width_ms == run.ends_ms % run.width_ms == 0
        assert run.ends_ms > at
        at = run.ends_ms
    assert at == window.ends_ms


def test_days_are_cut_at_midnight_of_the_zone_and_one_of_them_has_25_hours() -> None:
    since, until = ms("2026-10-24T00:00+02:00"), ms("2026-10-27T00:00+01:00")

    cut = pieces(Window(since, until), "day", "Europe/Berlin")

    assert [(ends - starts) // HOUR_MS for starts, ends in cut] == [24, 25, 24]
