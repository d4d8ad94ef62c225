"""What was ever booked of a model."""

from dataclasses import dataclass


@dataclass(slots=True)
class ModelTotals:
    provider: str
    model: str
    sums: dict[str, int]
    """By the names of the roll-ups' sums; money in nano-dollars."""
