"""Holds are sized by what a text may become, rather too much than too little."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.vocabulary import Vocabulary, load
from protocols.token_estimate import SLICE, WHOLE_MAX, Counter, estimate_tokens

PROSE = "The committee met on Tuesday and decided, after some debate, to adjourn. " * 40


@pytest.fixture(scope="module")
def count() -> Counter:
    found = load()
    if found is None:
        pytest.skip("bpe-openai is not installed: pip install 'tekton-budget[tokens]'")
    return found


@pytest.mark.parametrize(
    ("model", "low", "high"),
    [
        ("gpt-5", 1.0, 1.05),
        ("gemini-2.5-pro", 1.1, 1.2),
        ("claude-sonnet-4-5", 1.1, 1.2),
        ("claude-opus-4-7", 1.4, 1.6),
        ("llama-4", 1.15, 1.25),
    ],
)
def test_each_family_cuts_as_fine_as_it_was_measured_to(
    count: Counter, model: str, low: float, high: float
) -> None:
    counted = count(PROSE)
    assert low * counted <= estimate_tokens(PROSE, None, model, count) <= high * counted + 50


def test_a_vocabulary_comes_nearer_than_bytes(count: Counter) -> None:
    exact = count(PROSE)
    near = estimate_tokens(PROSE, "openai", "gpt-5", count)
    far = estimate_tokens(PROSE, "openai", "gpt-5")
    assert exact <= near < far


def test_the_vocabulary_is_loaded_at_the_first_text_and_nobody_waits_for_it(
    count: Counter,
) -> None:
    vocabulary = Vocabulary()
    assert not vocabulary.settled.is_set()

    assert vocabulary() is None
    assert vocabulary.settled.wait(60)

    found = vocabulary()
    assert found is not None
    assert found(PROSE) == count(PROSE)


def test_special_tokens_and_broken_text_are_only_text(count: Counter) -> None:
    for text in ("<|endoftext|>", "a\ud800b", "\0", ""):
        assert estimate_tokens(text, "openai", "gpt-5", count) >= 8


def test_a_long_text_is_taken_for_its_densest_part(count: Counter) -> None:
    dense = "".join(chr(0x4E00 + (n * 7919) % 20_000) for n in range(SLICE))
    text = PROSE * (WHOLE_MAX // len(PROSE) + 2) + dense
    guessed = estimate_tokens(text, "openai", "gpt-5", count)
    assert guessed >= count(text[:WHOLE_MAX])
    assert guessed >= len(text) * count(dense) // SLICE


@given(st.text(max_size=2_000))
def test_no_text_is_guessed_shorter_than_its_count(text: str) -> None:
    counter = load_once()
    if counter is not None:
        assert estimate_tokens(text, "openai", "gpt-5", counter) >= counter(text)
    assert estimate_tokens(text, "openai", "gpt-5") >= len(text) // 4


def load_once(found: list[Counter | None] = []) -> Counter | None:  # noqa: B006  # a memory
    if not found:
        found.append(load())
    return found[0]
