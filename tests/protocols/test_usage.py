"""Usage objects of every provider we read, spelt as they come, and the counts they mean."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import Invalid
from protocols.usage import KINDS, MIXED, TOKEN_KINDS, Usage, normalise

OPENAI_CHAT = {
    "id": "chatcmpl-1",
    "model": "gpt-5.6-luna-2026-07-30",
    "service_tier": "flex",
    "choices": [],
    "usage": {
        "prompt_tokens": 2006,
        "completion_tokens": 300,
        "total_tokens": 2306,
        "prompt_tokens_details": {"cached_tokens": 1024, "cache_write_tokens": 512,
                                  "audio_tokens": 20, "text_tokens": 1986},
        "completion_tokens_details": {"reasoning_tokens": 192, "audio_tokens": 8,
                                      "accepted_prediction_tokens": 10,
                                      "rejected_prediction_tokens": 5},
    },
}  # fmt: skip
OPENAI_RESPONSES = {
    "model": "gpt-6-sol",
    "service_tier": "default",
    "usage": {
        "input_tokens": 5000,
        "input_tokens_details": {
            "cached_tokens": 3000,
            "cache_write_tokens": 1500,
            "cache_write_tokens_details": {"ttl_30m_tokens": 500, "ttl_12h_tokens": 1000},
        },
        "output_tokens": 700,
        "output_tokens_details": {"reasoning_tokens": 640},
        "total_tokens": 5700,
    },
}
OPENAI_REALTIME = {
    "type": "response.done",
    "response": {
        "usage": {
            "total_tokens": 900,
            "input_tokens": 600,
            "output_tokens": 300,
            "input_token_details": {
                "text_tokens": 100, "audio_tokens": 480, "image_tokens": 20, "cached_tokens": 256,
                "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 180,
                                          "image_tokens": 12},
            },
            "output_token_details": {"text_tokens": 50, "audio_tokens": 250},
        },
    },
}  # fmt: skip
ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "model": "claude-sonnet-4-5-20250929",
    "usage": {
        "input_tokens": 12,
        "cache_creation_input_tokens": 3000,
        "cache_read_input_tokens": 40_000,
        "cache_creation": {"ephemeral_5m_input_tokens": 1000, "ephemeral_1h_input_tokens": 2000},
        "output_tokens": 900,
        "output_tokens_details": {"thinking_tokens": 400},
        "server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 2},
        "service_tier": "batch",
        "inference_geo": "us",
    },
}
GEMINI = {
    "modelVersion": "gemini-2.5-flash",
    "usageMetadata": {
        "promptTokenCount": 1500,
        "cachedContentTokenCount": 600,
        "candidatesTokenCount": 200,
        "thoughtsTokenCount": 350,
        "toolUsePromptTokenCount": 90,
        "totalTokenCount": 2140,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1000},
                                {"modality": "AUDIO", "tokenCount": 400},
                                {"modality": "DOCUMENT", "tokenCount": 100}],
        "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 500},
                               {"modality": "AUDIO", "tokenCount": 100}],
        "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 90}],
        "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 200}],
        "trafficType": "ON_DEMAND_PRIORITY",
    },
}  # fmt: skip
BEDROCK = {
    "usage": {
        "inputTokens": 30,
        "outputTokens": 120,
        "totalTokens": 4150,
        "cacheReadInputTokens": 2500,
        "cacheWriteInputTokens": 1500,
        "cacheDetails": [{"ttl": "5m", "inputTokens": 900}, {"ttl": "1h", "inputTokens": 600}],
    },
    "serviceTier": {"type": "flex"},
}

SHAPES = [
    pytest.param(
        None,
        OPENAI_CHAT,
        {"input": 450, "cache_read": 1024, "cache_write_5m": 512, "input_audio": 20,
         "output": 100, "reasoning": 192, "output_audio": 8},
        id="OpenAI chat: details are parts of the totals",
    ),
    pytest.param(
        None,
        OPENAI_RESPONSES,
        {"input": 500, "cache_read": 3000, "cache_write_5m": 500, "cache_write_12h": 1000,
         "output": 60, "reasoning": 640},
        id="OpenAI responses: two lifetimes of cache writes",
    ),
    pytest.param(
        None,
        OPENAI_REALTIME,
        {"input": 36, "input_audio": 300, "input_image": 8, "cache_read": 64,
         "cache_read_audio": 180, "cache_read_image": 12, "output": 50, "output_audio": 250},
        id="OpenAI realtime: cached audio is its own kind",
    ),
    pytest.param(
        "openai",
        {"prompt_tokens": 77, "total_tokens": 77},
        {"input": 77},
        id="embeddings have no output",
    ),
    pytest.param(
        "openai",
        {"input_tokens": 60, "input_tokens_details": {"image_tokens": 40, "text_tokens": 20},
         "output_tokens": 1000, "total_tokens": 1060,
         "output_tokens_details": {"image_tokens": 990, "text_tokens": 10}},
        {"input": 20, "input_image": 40, "output": 10, "output_image": 990},
        id="OpenAI images",
    ),
    pytest.param(
        "anthropic",
        ANTHROPIC,
        {"input": 12, "cache_read": 40_000, "cache_write_5m": 1000, "cache_write_1h": 2000,
         "output": 500, "reasoning": 400, "web_search": 3},
        id="Anthropic: the cache is beside the input, thinking inside the output",
    ),
    pytest.param(
        "anthropic",
        {"input_tokens": 5, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 0,
         "output_tokens": 9},
        {"input": 5, "cache_write_5m": 300, "output": 9},
        id="Anthropic without the split: an ordinary cache write",
    ),
    pytest.param(
        "google",
        GEMINI,
        {"input": 690, "input_audio": 300, "cache_read": 500, "cache_read_audio": 100,
         "output": 200, "reasoning": 350},
        id="Gemini: tool prompt and thoughts come on top, the cache is inside",
    ),
    pytest.param(
        "google",
        {"prompt_token_count": 1000, "cached_content_token_count": 950,
         "prompt_tokens_details": [{"modality": "AUDIO", "token_count": 900}],
         "candidates_token_count": 10},
        {"input_audio": 50, "cache_read": 100, "cache_read_audio": 850, "output": 10},
        id="Gemini that does not say what was cached: text first",
    ),
    pytest.param(
        "bedrock",
        BEDROCK,
        {"input": 30, "cache_read": 2500, "cache_write_5m": 900, "cache_write_1h": 600,
         "output": 120},
        id="Bedrock: the cache comes on top",
    ),
    pytest.param(
        "xai",
        {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135,
         "prompt_tokens_details": {"text_tokens": 32, "cached_tokens": 6},
         "completion_tokens_details": {"reasoning_tokens": 94}},
        {"input": 26, "cache_read": 6, "output": 9, "reasoning": 94},
        id="xAI: reasoning on top, and the total says so",
    ),
    pytest.param(
        "x-ai",
        {"prompt_tokens": 32, "completion_tokens": 9,
         "completion_tokens_details": {"reasoning_tokens": 94}},
        {"input": 32, "output": 9, "reasoning": 94},
        id="xAI without a total: the provider decides",
    ),
    pytest.param(
        "deepseek",
        {"prompt_tokens": 500, "prompt_cache_hit_tokens": 384, "prompt_cache_miss_tokens": 116,
         "completion_tokens": 80, "total_tokens": 580,
         "completion_tokens_details": {"reasoning_tokens": 30}},
        {"input": 116, "cache_read": 384, "output": 50, "reasoning": 30},
        id="DeepSeek: hits and misses make the prompt",
    ),
    pytest.param(
        "groq",
        {"queue_time": 0.01, "prompt_tokens": 50, "prompt_time": 0.002, "completion_tokens": 7,
         "completion_time": 0.02, "total_tokens": 57, "total_time": 0.03},
        {"input": 50, "output": 7},
        id="Groq: durations cost nothing",
    ),
    pytest.param(
        "mistral",
        {"prompt_tokens": 40, "completion_tokens": 4, "total_tokens": 44,
         "prompt_audio_seconds": 12},
        {"input": 40, "output": 4, "seconds": 12},
        id="Mistral: seconds of audio",
    ),
    pytest.param(
        "cohere",
        {"usage": {"billed_units": {"input_tokens": 17, "output_tokens": 12},
                   "tokens": {"input_tokens": 211, "output_tokens": 12}, "cached_tokens": 80}},
        {"input": 17, "output": 12},
        id="Cohere: only billed units cost",
    ),
    pytest.param(
        "cohere",
        {"meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}},
        {"search_unit": 1},
        id="Cohere rerank",
    ),
    pytest.param(
        "ollama",
        {"model": "llama3", "created_at": "2026-11-20T00:00:00Z", "done": True,
         "total_duration": 5, "prompt_eval_count": 26, "eval_count": 290,
         "message": {"role": "assistant", "content": "…"}},
        {"input": 26, "output": 290},
        id="Ollama: the whole answer",
    ),
    pytest.param(
        "perplexity",
        {"prompt_tokens": 7, "completion_tokens": 100, "total_tokens": 107,
         "reasoning_tokens": 60, "citation_tokens": 1000, "num_search_queries": 21},
        {"input": 7, "output": 100, "reasoning": 60, "citation": 1000, "web_search": 21},
        id="Perplexity: reasoning and citations on top",
    ),
    pytest.param(
        "perplexity",
        {"prompt_tokens": 7, "completion_tokens": 100, "search_context_size": "low"},
        {"input": 7, "output": 100, "search_low": 1},
        id="Perplexity: a fee by the size of the search context",
    ),
    pytest.param(
        "google",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 45},
        {"input": 10, "output": 5, "reasoning": 30},
        id="Gemini through its OpenAI door: the total holds the thoughts",
    ),
    pytest.param(
        None,
        {"input": 10, "cache_read": 5, "output": 0, "web_search": 1, "images": 2},
        {"input": 10, "cache_read": 5, "web_search": 1, "images": 2},
        id="our own form",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "raw", "counts"), SHAPES)
def test_every_shape_becomes_disjoint_counts(
    provider: str | None, raw: dict[str, object], counts: dict[str, int]
) -> None:
    usage = normalise(raw, provider)

    assert counts == usage.counts
    assert usage.unrecognised == ()


def test_the_response_around_the_usage_names_model_and_mode() -> None:
    assert normalise(OPENAI_CHAT).mode == "flex"
    assert normalise(OPENAI_CHAT).model == "gpt-5.6-luna-2026-07-30"
    assert normalise(GEMINI).mode == "priority"
    assert normalise(GEMINI).model == "gemini-2.5-flash"
    assert normalise(BEDROCK).mode == "flex"
    assert (normalise(ANTHROPIC).mode, normalise(ANTHROPIC).region) == ("batch", "us")


def test_speed_is_a_mode_and_an_unknown_mode_keeps_its_name() -> None:
    plain = {"input_tokens": 1, "output_tokens": 1}

    assert normalise(plain | {"speed": "fast", "service_tier": "standard"}).mode == "fast"
    assert normalise(plain | {"service_tier": "scale"}).mode == "scale"


def test_openrouters_own_cost_is_kept_to_the_digit() -> None:
    raw = {"prompt_tokens": 4, "completion_tokens": 2, "cost": 0.00014, "is_byok": False,
           "cost_details": {"upstream_inference_cost": None}}  # fmt: skip

    assert Decimal("0.00014") == normalise(raw, "openrouter").reported_cost


def test_a_field_nobody_understands_is_named() -> None:
    raw = {"input_tokens": 3, "output_tokens": 1, "iterations": [],
           "cache_creation": {"ephemeral_9d_input_tokens": 4}, "thrift": 1}  # fmt: skip

    usage = normalise(raw)

    assert (usage.unrecognised) == (
        "cache_creation.ephemeral_9d_input_tokens",
        "thrift",
    )


def test_a_total_that_does_not_add_up_is_named() -> None:
    raw = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 9}

    assert normalise(raw).unrecognised == ("total_tokens",)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"prompt_tokens": -1, "completion_tokens": 1}, "usage.prompt_tokens"),
        ({"prompt_tokens": True, "completion_tokens": 1}, "usage.prompt_tokens"),
        ({"prompt_tokens": 1.0, "completion_tokens": 1}, "usage.prompt_tokens"),
        ({"prompt_tokens": "1", "completion_tokens": 1}, "usage.prompt_tokens"),
        ({"input": float("nan")}, "usage.input"),
        ({"input": 10**12 + 1}, "usage.input"),
        ({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 6}},
         "usage.prompt_tokens"),
        ({"prompt_tokens": 5, "prompt_tokens_details": [1]}, "usage.prompt_tokens_details"),
        ({"prompt_tokens": 5, "prompt_cache_hit_tokens": 2, "prompt_cache_miss_tokens": 2},
         "usage.prompt_tokens"),
        ({"completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 6},
          "total_tokens": 5}, "usage.completion_tokens"),
        ({"promptTokenCount": 5, "cachedContentTokenCount": 6}, "usage.promptTokenCount"),
        ({"promptTokenCount": 5, "promptTokensDetails": "x"}, "usage.promptTokensDetails"),
        ({"input_tokens": 5, "cache_creation_input_tokens": 1,
          "cache_creation": {"ephemeral_1h_input_tokens": 2}}, "usage.cache_creation_input_tokens"),
        ({"input": 1, "reported_cost_usd": "much"}, "usage.cost"),
        ({"input": 1, "reported_cost_usd": "NaN"}, "usage.cost"),
        ({"tokens": 12}, "usage"),
        ({"usage": None}, "usage"),
        ({}, "usage"),
    ],
)  # fmt: skip
def test_a_wrong_usage_is_refused_naming_field_and_remedy(
    raw: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        normalise(raw)

    assert f"'field': '{field}'" in str(refusal.value.facts["errors"])
    assert refusal.value.hint


USAGES = st.builds(
    Usage,
    counts=st.dictionaries(st.sampled_from(sorted(KINDS)), st.integers(1, 10**12)),
    mode=st.sampled_from(["standard", "batch", "fast"]),
    region=st.sampled_from([None, "us"]),
    model=st.sampled_from([None, "gpt-5"]),
    reported_cost=st.sampled_from([None, Decimal(0), Decimal("0.000000001")]),
    unrecognised=st.sampled_from([(), ("thrift",)]),
)


@given(USAGES.filter(lambda usage: usage.counts))
def test_the_flat_form_reads_back_as_the_same_usage(usage: Usage) -> None:
    assert usage == normalise(usage.flat())


@given(USAGES, USAGES)
def test_adding_usages_adds_their_tokens(one: Usage, other: Usage) -> None:
    both = one + other

    assert one.tokens + other.tokens == both.tokens
    assert set(both.counts) <= set(one.counts) | set(other.counts)
    assert (both.mode == MIXED) == (one.mode != other.mode)


JUNK: st.SearchStrategy[object] = st.sampled_from(
    [None, True, -1, 0, 3, 10**13, 1.5, float("nan"), "", "x", [], [None], {}]
)
FIELDS = ["prompt_tokens", "usage", "input_tokens", "prompt_tokens_details", "cacheTokensDetails"]


@given(
    st.dictionaries(
        st.sampled_from([*sorted(TOKEN_KINDS), *FIELDS, "promptTokenCount", "billed_units"]),
        JUNK | st.dictionaries(st.sampled_from(["cached_tokens", "prompt_tokens"]), JUNK),
    )
)
def test_no_junk_at_all_breaks_the_reader(raw: dict[str, object]) -> None:
    try:
        usage = normalise(raw)
    except Invalid:
        return
    assert all(count > 0 for count in usage.counts.values())
