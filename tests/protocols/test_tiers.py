"""Apollo's tiers and sizes, and the offline guess at tokens."""

import pytest

from protocols.allocation_sizes import default_size
from protocols.tiers import DEFAULT as APOLLO
from protocols.tiers import TierTable, tier_of
from protocols.token_estimate import estimate_tokens


@pytest.mark.parametrize(
    ("component", "provider", "model", "tier"),
    [
        ("apollo", "anthropic", "claude-3-haiku", "local_midweight"),
        ("apollo", "anthropic", "Claude-3-Haiku-20240307", "local_midweight"),
        ("apollo", "anthropic", "claude-haiku-4-5-20251001", "local_midweight"),
        ("apollo", "anthropic", "claude-opus-4-7", "remote_heavyweight"),
        ("apollo", "ollama", "codellama:7b", "local_lightweight"),
        ("apollo", "", "ollama/codellama:7b", "local_lightweight"),
        ("apollo", "ollama", "phi4", "local_midweight"),
        ("apollo", "Local", "phi4", "local_lightweight"),
        ("apollo", "mistral", "mistral-large-latest", "remote_heavyweight"),
        ("apollo", "ollama", "mistral:7b", "local_midweight"),
        ("apollo", "nobody", "whatever", "remote_heavyweight"),
    ],
)
def test_dated_names_have_the_tier_of_their_family(
    component: str, provider: str, model: str, tier: str
) -> None:
    assert tier == tier_of(component, provider, model)


def test_model_comes_before_component_and_component_before_provider() -> None:
    table = APOLLO.extended(TierTable(components={"Nightly-*": "local_lightweight"}))

    assert tier_of("nightly-1", "openai", "o3", table) == "local_lightweight"
    assert tier_of("nightly-1", "openai", "gpt-4o", table) == "remote_heavyweight"
    assert tier_of("daily", "openai", "o3", table) == "remote_heavyweight"


def test_the_most_specific_name_wins_and_configuration_overrules_the_table() -> None:
    table = APOLLO.extended(
        TierTable(models={"gpt-4o-mini*": "local_midweight", "QWEN*": "remote_heavyweight"})
    )

    assert tier_of("x", "openai", "gpt-4o-mini-2024-07-18", table) == "local_midweight"
    assert tier_of("x", "openai", "gpt-4o", table) == "remote_heavyweight"
    assert tier_of("x", "ollama", "qwen3", table) == "remote_heavyweight"
    assert tier_of("x", "ollama", "qwen3") == "local_midweight"


@pytest.mark.parametrize(
    ("task_type", "priority", "size"),
    [
        ("default", 1, 1000),
        ("chat", 4, 2000),
        ("chat", 5, 4000),
        ("chat", 8, 8000),
        ("chat", 9, 8000),
        ("coding", 10, 32_000),
        ("analysis", 7, 8000),
        ("poetry", 10, 8000),
    ],
)
def test_sizes_are_apollos_but_never_fall_with_priority(
    task_type: str, priority: int, size: int
) -> None:
    assert size == default_size(task_type, priority)


def test_new_claudes_are_guessed_higher_than_old_ones() -> None:
    text = "word " * 800

    def guess(model: str) -> int:
        return estimate_tokens(text, "anthropic", model)

    assert guess("claude-opus-4-20250514") == guess("claude-3-5-sonnet-20241022") == 1310
    assert guess("claude-opus-4-7") == guess("us.anthropic.claude-sonnet-5-v1:0") == 1750
    assert guess("claude-next") == 1750


def test_a_guess_counts_bytes_so_that_chinese_is_not_underrated() -> None:
    assert estimate_tokens("汉字" * 100, "openai", "gpt-5") == 8 + 173
    assert estimate_tokens("", "openai", "gpt-5") == 8
    assert estimate_tokens("\ud800", None, "gemini-2.5-pro") == 8 + 1
    assert estimate_tokens("a" * 400, None, "somebody/o1") == 10 + 140
