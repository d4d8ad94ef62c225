"""Usage inside whole answers and stream events, and what stands beside it that costs."""

from decimal import Decimal
from typing import Any

import pytest

from protocols.usage import normalise

CLAUDE = {"input_tokens": 10, "output_tokens": 4, "cache_read_input_tokens": 100}
GPT = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
TEN_FOUR = {"input": 10, "output": 4}


@pytest.mark.parametrize(
    ("raw", "counts"),
    [
        ({"type": "message_start", "message": {"usage": CLAUDE}}, TEN_FOUR | {"cache_read": 100}),
        ({"type": "message_delta", "delta": {}, "usage": CLAUDE}, TEN_FOUR | {"cache_read": 100}),
        ({"id": "c", "choices": [], "usage": GPT}, TEN_FOUR),
        ({"choices": [], "x_groq": {"id": "r", "usage": GPT}}, TEN_FOUR),
        (
            {"type": "response.completed",
             "response": {"usage": {"input_tokens": 10, "output_tokens": 4}}},
            TEN_FOUR,
        ),
        (
            {"type": "message-end",
             "delta": {"usage": {"billed_units": {"input_tokens": 10, "output_tokens": 4},
                                 "tokens": {"input_tokens": 70, "output_tokens": 9}}}},
            TEN_FOUR,
        ),
        ({"metadata": {"usage": {"inputTokens": 10, "outputTokens": 4}, "metrics": {}}}, TEN_FOUR),
        ({"usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 4}}, TEN_FOUR),
    ],
)  # fmt: skip
def test_usage_is_found_wherever_a_provider_puts_it(raw: Any, counts: dict[str, int]) -> None:
    usage = normalise(raw)
    assert (usage.counts, usage.unrecognised) == (counts, ())


def test_openai_s_searches_are_items_of_the_answer() -> None:
    raw = {
        "output": [{"type": "web_search_call"}, {"type": "message"}, {"type": "web_search_call"}],
        "usage": {"input_tokens": 10, "output_tokens": 4},
    }
    assert normalise(raw).counts == TEN_FOUR | {"web_search": 2}


def test_pictures_without_usage_are_counted() -> None:
    raw = {"created": 1, "data": [{"url": "https://x"}, {"b64_json": "…"}]}
    assert normalise(raw).counts == {"images": 2}


def test_a_transcription_by_the_second() -> None:
    raw = {"text": "hello", "usage": {"type": "duration", "seconds": 12}}
    assert (normalise(raw).counts, normalise(raw).unrecognised) == ({"seconds": 12}, ())


def test_a_transcription_by_tokens() -> None:
    raw = {
        "usage": {
            "type": "tokens", "input_tokens": 30, "output_tokens": 4, "total_tokens": 34,
            "input_token_details": {"audio_tokens": 25, "text_tokens": 5},
        }
    }  # fmt: skip
    usage = normalise(raw)
    assert usage.counts == {"input": 5, "input_audio": 25, "output": 4}
    assert usage.unrecognised == ()


def test_a_compaction_is_paid_for_although_the_totals_are_silent_about_it() -> None:
    raw = {
        "input_tokens": 23_000, "output_tokens": 1_000,
        "server_tool_use": {"web_search_requests": 2},
        "iterations": [
            {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500},
            {"type": "message", "input_tokens": 23_000, "output_tokens": 1_000,
             "cache_creation_input_tokens": 50,
             "cache_creation": {"ephemeral_1h_input_tokens": 50}},
        ],
    }  # fmt: skip
    usage = normalise(raw)
    assert usage.counts == {
        "input": 203_000, "output": 4_500, "cache_write_1h": 50, "web_search": 2,
    }  # fmt: skip
    assert usage.unrecognised == ()


def test_an_adviser_of_another_model_is_counted_and_named() -> None:
    raw = {
        "input_tokens": 10, "output_tokens": 4,
        "iterations": [
            {"type": "message", "input_tokens": 10, "output_tokens": 4},
            {"type": "advisor_message", "model": "claude-opus-4-7", "input_tokens": 5,
             "output_tokens": 1},
        ],
    }  # fmt: skip
    usage = normalise(raw)
    assert usage.counts == {"input": 15, "output": 5}
    assert usage.unrecognised == ("iterations[1].model",)


def test_xai_says_what_it_charged_in_ticks() -> None:
    usage = normalise(GPT | {"cost_in_usd_ticks": 37_756_000}, "xai")
    assert usage.reported_cost == Decimal("0.0037756")


def test_our_own_form_is_read_as_it_stands() -> None:
    usage = normalise({"input": 10, "output": 4, "seconds": 0})
    assert usage.counts == TEN_FOUR
