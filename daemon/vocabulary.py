"""OpenAI's o200k vocabulary, out of the optional package that carries it. Nothing is downloaded."""

import warnings
from importlib import import_module

from protocols.token_estimate import Counter

NAME = "o200k_base"


def load() -> Counter | None:
    """Load it, which takes half a second. None where the package is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # its own, of importlib
            encoding = import_module("bpe_openai").get_encoding(NAME)
    except ImportError:
        return None

    def count(text: str) -> int:
        return len(encoding.encode_ordinary(text))

    count("warm up")
    return count
