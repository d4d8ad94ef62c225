"""How many tokens an allocation gets when nobody says: Apollo's table, by task and priority."""

CRITICAL, HIGH, NORMAL = 10, 8, 5

SIZES = {
    "default": (1_000, 2_000, 4_000, 8_000),
    "chat": (2_000, 4_000, 8_000, 16_000),
    "coding": (4_000, 8_000, 16_000, 32_000),
    "analysis": (4_000, 8_000, 16_000, 32_000),
}
"""Tokens at low, normal, high and critical priority."""


def default_size(task_type: str, priority: int) -> int:
    """Look a size up; a higher priority never gets less, an unknown task type gets the default."""
    low, normal, high, critical = SIZES.get(task_type, SIZES["default"])
    if priority >= CRITICAL:
        return critical
    if priority >= HIGH:
        return high
    return normal if priority >= NORMAL else low
