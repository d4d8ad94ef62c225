"""Usage: what a call consumed, from any provider's own words to disjoint counts."""

from protocols.usage.kinds import (
    CHEAPER_MODES,
    INPUT_KINDS,
    KINDS,
    LINEAGE,
    MODES,
    OUTPUT_KINDS,
    TOKEN_KINDS,
    UNIT_KINDS,
)
from protocols.usage.normalise import normalise
from protocols.usage.usage import MIXED, Usage

__all__ = [
    "CHEAPER_MODES",
    "INPUT_KINDS",
    "KINDS",
    "LINEAGE",
    "MIXED",
    "MODES",
    "OUTPUT_KINDS",
    "TOKEN_KINDS",
    "UNIT_KINDS",
    "Usage",
    "normalise",
]
