"""How many tokens a text may become, guessed offline, for holds. Settles use the real count.

A token is about four UTF-8 bytes in OpenAI's vocabulary; other families cut finer. The factors
are measured ratios to billed tokens, raised so that prose, code and Chinese rarely pass them.
"""

import re
from functools import lru_cache

BYTES_PER_TOKEN = 4
NAMES_MAX = 4096

OPENAI = (115, 8)  # Chinese: bytes / 4 falls 12 % short
GEMINI = (125, 8)  # bills 1.09 times OpenAI's count
CLAUDE = (130, 10)  # up to 4.6: 1.13 times
CLAUDE_NEW = (170, 50)  # from 4.7: 1.43 times, up to 1.74 in places, and long framing
OTHERS = (140, 10)
"""Per cent of bytes / 4, and the tokens that frame a request."""

_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?")
_NEW_FROM = (4, 7)


def estimate_tokens(text: str, provider: str | None, model: str) -> int:
    """Guess the tokens of a text, high rather than low, in one pass over its bytes."""
    per_cent, framing = _family((provider or "").lower(), model.lower())
    size = len(text.encode("utf-8", "surrogatepass"))
    return framing - (-size * per_cent // (100 * BYTES_PER_TOKEN))


@lru_cache(NAMES_MAX)
def _family(provider: str, model: str) -> tuple[int, int]:
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
