"""What must not be read in a log: secrets, and characters that forge or turn its lines."""

import re

_SECRET = re.compile(
    r"(?P<kind>tkb_(?:[a-z0-9_-]{8}_)?|(?<![a-z0-9])sk-|\bbearer[ \t]+(?!tkb_))[a-z0-9._~+/=-]+",
    re.IGNORECASE,
)
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""Characters that could begin a line, move a cursor or turn the reading direction."""


def redact(text: str) -> str:
    """Take out tokens and keys. A token's public id stays."""
    return _SECRET.sub(r"\g<kind>[redacted]", text)


def escape(text: str) -> str:
    r"""Make control and direction characters visible: a newline becomes `\n`."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
