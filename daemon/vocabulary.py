"""OpenAI's o200k vocabulary, out of the optional package that carries it. Nothing is downloaded.

It takes half a second and some 130 MB, and many a daemon never counts a text: it is loaded on a
thread of its own at the first one. Until it is there, a text is guessed by its bytes, as it is
where the package is not installed: nobody waits, and nothing stops.
"""

import threading
import warnings
from importlib import import_module
from importlib.util import find_spec

from protocols.token_estimate import Counter

PACKAGE, NAME = "bpe_openai", "o200k_base"


class Vocabulary:
    """The counter, once somebody has asked for it and it is loaded."""

    def __init__(self) -> None:
        self.counter: Counter | None = None
        self.settled = threading.Event()
        """Loaded, or found to be missing."""
        self._asked = False

    def __call__(self) -> Counter | None:
        """Called on the loop with each text that is to be counted."""
        if self._asked:
            return self.counter
        self._asked = True
        threading.Thread(target=self._load, name="vocabulary", daemon=True).start()
        return None

    def _load(self) -> None:
        try:
            self.counter = load()
        finally:
            self.settled.set()


def load() -> Counter | None:
    """Load it here and now. None where the package is not installed."""
    if find_spec(PACKAGE) is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own, of importlib
        encoding = import_module(PACKAGE).get_encoding(NAME)

    def count(text: str) -> int:
        return len(encoding.encode_ordinary(text))

    count("warm up")
    return count
