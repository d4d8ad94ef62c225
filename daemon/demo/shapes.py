"""Usage objects as the providers send them: four shapes that count in four ways."""

from collections.abc import Callable
from typing import Any

Usage = dict[str, Any]
Shape = Callable[[int, int, int, int], Usage]
"""From fresh input, cached input, output and thinking (in tokens) to the provider's own words."""


def openai_chat(fresh: int, cached: int, output: int, thinking: int) -> Usage:
    """Chat completions: what was cached and what was thought are parts of the totals."""
    return {
        "prompt_tokens": fresh + cached,
        "completion_tokens": output + thinking,
        "total_tokens": fresh + cached + output + thinking,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": thinking,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def openai_embedding(fresh: int, cached: int, output: int, thinking: int) -> Usage:
    """Embeddings: input, and nothing else."""
    assert cached == output == thinking == 0, "an embedding has no other tokens"
    return {"prompt_tokens": fresh, "total_tokens": fresh}


def openai_responses(fresh: int, cached: int, output: int, thinking: int) -> Usage:
    """Responses: the same, under newer names."""
    return {
        "input_tokens": fresh + cached,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": output + thinking,
        "output_tokens_details": {"reasoning_tokens": thinking},
        "total_tokens": fresh + cached + output + thinking,
    }


def anthropic(fresh: int, cached: int, output: int, thinking: int) -> Usage:
    """Messages: the input leaves out what the cache gave and took; every tenth part is written."""
    written = cached // 10
    return {
        "input_tokens": fresh,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": cached - written,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output + thinking,
        "service_tier": "standard",
    }


def gemini(fresh: int, cached: int, output: int, thinking: int) -> Usage:
    """Generate content: the prompt includes what was cached, the candidates not the thoughts."""
    return {
        "promptTokenCount": fresh + cached,
        "cachedContentTokenCount": cached,
        "candidatesTokenCount": output,
        "thoughtsTokenCount": thinking,
        "totalTokenCount": fresh + cached + output + thinking,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": fresh + cached}],
    }
