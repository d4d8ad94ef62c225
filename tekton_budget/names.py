"""Names that the daemon takes, made of any text."""

import hashlib
import re

_OTHER = re.compile(r"[^A-Za-z0-9._:/@-]")
LENGTH_MAX = 128


def name_of(text: str) -> str:
    """The text itself where it is a name; else a readable one that no other text gets."""
    if text and len(text) <= LENGTH_MAX and not _OTHER.search(text):
        return text
    mark = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{_OTHER.sub('_', text)[: LENGTH_MAX - 13]}-{mark}"
