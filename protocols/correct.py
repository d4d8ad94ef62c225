"""Corrections: bookings at a provisional price that get their real one."""

from dataclasses import dataclass

from protocols.journal import Draft


@dataclass(slots=True)
class Correction:
    """What a booking was too much or too little, and where it counts."""

    component: str
    holds: list[str]
    windows: list[int]
    usd: int
    """Nano-dollars to add; negative where the provisional price was too high."""
    draft: Draft


@dataclass(slots=True)
class Correct:
    """To the policy engine: count these, write them down, answer with how many."""

    corrections: list[Correction]
    prices: list[Draft]


@dataclass(slots=True)
class Amended:
    """To a ledger: what these holds have spent is other than was booked."""

    holds: list[str]
    usd: int
