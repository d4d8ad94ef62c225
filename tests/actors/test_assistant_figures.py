"""Which figures of an answer stand in none of its data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.assistant.figures import unproven


@pytest.mark.parametrize(
    ("text", "seen", "missing"),
    [
        ("1,234.50 USD in 300 calls", ['{"usd": "1234.500000000", "calls": 300}'], []),
        ("about 1,235 USD", ['"1234.500000000"'], ["1,235"]),
        ("12 components, 2 limits", [], []),
        ("0.0255 and 0.0256", ['"0.025500000"'], ["0.0256"]),
        ("777 and again 777", [], ["777"]),
    ],
)
def test_a_figure_is_found_however_it_is_written(
    text: str, seen: list[str], missing: list[str]
) -> None:
    assert unproven(text, seen) == missing


@given(st.integers(0, 10**15), st.integers(0, 10**9 - 1))
def test_what_stands_in_the_data_is_never_doubted(whole: int, part: int) -> None:
    told = f"{whole}.{part:09d}"
    assert unproven(f"It cost {whole:,}.{part:09d} USD.", [f'{{"usd": "{told}"}}']) == []
