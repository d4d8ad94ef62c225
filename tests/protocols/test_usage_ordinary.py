"""A usage object read at one glance means what the full reader makes of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import Invalid
from protocols.usage import normalise
from protocols.usage.normalise import read_in_full
from protocols.usage.ordinary import ordinary

count = st.integers(0, 3000) | st.integers(-1, 10**12 + 1) | st.none() | st.booleans()
small = st.integers(0, 50) | st.none() | st.just(1.5)


@st.composite
def inclusive(draw: st.DrawFn, read: str, written: str, inside: str, beside: str) -> dict[str, Any]:
    a, b = draw(count), draw(count)
    whole = a + b if isinstance(a, int) and isinstance(b, int) else 0
    return {
        read: a,
        written: b,
        "total_tokens": draw(st.just(whole) | count),
        inside: draw(st.fixed_dictionaries({}, optional={
            "cached_tokens": small, "audio_tokens": st.just(0) | small, "odd": small,
        }) | st.none()),
        beside: draw(st.fixed_dictionaries({}, optional={
            "reasoning_tokens": small, "audio_tokens": st.just(0) | small,
            "rejected_prediction_tokens": small,
        })),
    }  # fmt: skip


chat = inclusive(
    "prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details"
)
responses = inclusive(
    "input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details"
)
messages = st.fixed_dictionaries({
    "input_tokens": count, "output_tokens": count,
    "cache_creation_input_tokens": count, "cache_read_input_tokens": count,
})  # fmt: skip


@given(chat | responses | messages, st.sampled_from(["openai", "xai", "perplexity", "google", ""]))
def test_the_glance_and_the_full_reader_agree(raw: dict[str, Any], provider: str) -> None:
    found = ordinary(raw, provider)
    if found is None:
        return
    full = read_in_full(raw, provider)
    assert (found, "standard", ()) == (full.counts, full.mode, full.unrecognised)
    assert (full.region, full.model, full.reported_cost) == (None, None, None)


def test_the_usual_objects_are_ordinary() -> None:
    chat_usage = {
        "prompt_tokens": 900, "completion_tokens": 120, "total_tokens": 1020,
        "prompt_tokens_details": {"cached_tokens": 256, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 0},
    }  # fmt: skip
    assert ordinary(chat_usage, "openai") == {
        "input": 644, "cache_read": 256, "output": 100, "reasoning": 20,
    }  # fmt: skip
    assert ordinary(chat_usage, "perplexity") is None  # reasoning comes on top there


def test_parts_above_their_total_are_still_refused_by_name() -> None:
    raw = {
        "input_tokens": 10, "output_tokens": 1, "total_tokens": 11,
        "input_tokens_details": {"cached_tokens": 11}, "output_tokens_details": {},
    }  # fmt: skip
    with pytest.raises(Invalid, match=r"usage\.input_tokens"):
        normalise(raw)
