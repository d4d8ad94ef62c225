"""What can be counted: a closed set of disjoint kinds, each priced on its own."""

PARENTS: dict[str, str | None] = {
    "input": None,
    "cache_read": "input",
    "cache_write_5m": "input",
    "cache_write_1h": "cache_write_5m",
    "cache_write_12h": "cache_write_1h",
    "input_audio": "input",
    "input_image": "input",
    "input_video": "input",
    "cache_read_audio": "cache_read",
    "cache_read_image": "cache_read",
    "output": None,
    "reasoning": "output",
    "output_audio": "output",
    "output_image": "output",
    "citation": None,
}
"""Every token kind, and the kind whose rate it takes where it has none of its own.

`cache_write_5m` is the provider's ordinary cache write: 5 minutes at Anthropic, 30 at OpenAI.
"""

TOKEN_KINDS = frozenset(PARENTS)
OUTPUT_KINDS = frozenset({"output", "reasoning", "output_audio", "output_image"})
INPUT_KINDS = TOKEN_KINDS - OUTPUT_KINDS - {"citation"}
"""Their sum decides the long-context tier: everything the model read, cached or not."""

UNIT_KINDS = frozenset(
    {
        "web_search",
        "search_low",  # one request grounded in a small search context
        "search_medium",
        "search_high",
        "search_unit",
        "classification",
        "seconds",
        "characters",
        "images",
        "pages",
    }
)
"""Counted one by one and priced per piece, whatever the mode or the region."""

KINDS = TOKEN_KINDS | UNIT_KINDS

MODES = ("standard", "batch", "flex", "priority", "fast")
CHEAPER_MODES = frozenset({"batch", "flex"})
"""Modes no provider charges more for than standard."""


def lineage(kind: str) -> tuple[str, ...]:
    """List the kind, then the kinds whose rate stands in for it, nearest first."""
    parent = PARENTS.get(kind)
    return (kind,) if parent is None else (kind, *lineage(parent))


LINEAGE = {kind: lineage(kind) for kind in KINDS}
