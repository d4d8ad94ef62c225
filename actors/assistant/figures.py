"""Which figures in an answer stand in none of the data it rests on."""

import re
from collections.abc import Iterable

_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")
_SMALL = 2
"""A number of so few digits is as often a count of items, a day or a rank as a figure."""


def unproven(text: str, seen: Iterable[str]) -> list[str]:
    """List them as they stand in the text, each once. A sum the model made itself is one."""
    known = {plain(found) for said in seen for found in _FIGURE.findall(said)}
    missing = {
        found: None
        for found in _FIGURE.findall(text)
        if len(plain(found).replace(".", "")) > _SMALL and plain(found) not in known
    }
    return list(missing)


def plain(figure: str) -> str:
    """`1,200.50` and `1200.500000000` are one figure."""
    whole, _, part = figure.replace(",", "").partition(".")
    part = part.rstrip("0")
    return f"{whole.lstrip('0') or '0'}.{part}" if part else whole.lstrip("0") or "0"
