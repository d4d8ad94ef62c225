"""How many tokens a text may become, guessed offline, for holds. Settles use the real count.

With a vocabulary at hand the text is counted in OpenAI's o200k; without one a token is taken for
four UTF-8 bytes. Other families cut finer: the factors are measured ratios to billed tokens,
raised so that prose, code and Chinese rarely pass them.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

Counter = Callable[[str], int]
"""Counts a text's tokens in o200k."""
Counting = Callable[[], Counter | None]
"""Gives the counter if it is at hand by now: a vocabulary takes its time to load."""

BYTES_PER_TOKEN = 4
NAMES_MAX = 4096
WHOLE_MAX = 65_536
"""Characters that are counted one by one: 1 to 12 ms, whatever they are."""
SLICES, SLICE = 8, 4_096
"""A longer text is judged by its densest slice."""


class Family(NamedTuple):
    """Per cent of bytes / 4, per cent of o200k's count, and the tokens that frame a request."""

    of_bytes: int
    of_count: int
    framing: int


OPENAI = Family(115, 102, 8)  # Chinese: bytes / 4 falls 12 % short
GEMINI = Family(125, 115, 8)  # bills 1.09 times OpenAI's count
CLAUDE = Family(130, 115, 10)  # up to 4.6: 1.13 times
CLAUDE_NEW = Family(170, 150, 50)  # from 4.7: 1.43 times, up to 1.74 in places, and long framing
OTHERS = Family(140, 120, 10)

_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?")
_NEW_FROM = (4, 7)


def estimate_tokens(
    text: str, provider: str | None, model: str, count: Counter | None = None
) -> int:
    """Guess the tokens of a text, high rather than low."""
    family = family_of(provider, model)
    if count is not None:
        return family.framing - (-_counted(text, count) * family.of_count // 100)
    size = _bytes(text)
    return family.framing - (-size * family.of_bytes // (100 * BYTES_PER_TOKEN))


def _counted(text: str, count: Counter) -> int:
    """Count it all, or, where that would take long, as if all were like its densest slice."""
    if len(text) <= WHOLE_MAX:
        return count(text)
    step = (len(text) - SLICE) // (SLICES - 1)
    densest = max(count(text[at * step : at * step + SLICE]) for at in range(SLICES))
    by_slice = -(-len(text) * densest // SLICE)
    return max(by_slice, _bytes(text) // BYTES_PER_TOKEN)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def family_of(provider: str | None, model: str) -> Family:
    """How fine this model cuts a text."""
    return _family((provider or "").lower(), model.lower())


@lru_cache(NAMES_MAX)
def _family(provider: str, model: str) -> Family:
    if "claude" in model:
        return CLAUDE_NEW if _claude_version(model) >= _NEW_FROM else CLAUDE
    if "gemini" in model:
        return GEMINI
    if provider in {"openai", "azure"} or re.match(r"(openai[/.])?(gpt-|o[1-9]\b)", model):
        return OPENAI
    return OTHERS


def _claude_version(model: str) -> tuple[int, int]:
    """Read 4.5 out of claude-sonnet-4-5-20250929; a name without a version is a new one."""
    found = _CLAUDE.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else _NEW_FROM
