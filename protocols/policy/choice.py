"""What a ledger and the policy engine say to each other to choose one of several models."""

from dataclasses import dataclass
from typing import Any, Literal

from protocols.errors import BudgetError
from protocols.policy.charge import Admit, Admitted, Amounts


@dataclass(slots=True)
class Option:
    """One model that could serve the call. `barred` ones are never taken: (reason, sentence)."""

    admit: Admit
    barred: tuple[str, str] | None = None


@dataclass(slots=True)
class Choose:
    """Take the first that fits, or else the first that fits beyond a limit. → `Chosen`.

    Looking and taking are one step. `every`: weigh the rest, too. `downgrade`: the first is the
    call as asked; it is taken if it fits by now, and nothing is if a limit that denies stops it.
    """

    component: str
    options: list[Option]
    take: bool
    every: bool
    memo: Any
    downgrade: bool = False


@dataclass(slots=True)
class Weighing:
    """What the limits say to one option; `left` is the room on each axis."""

    verdict: Literal["fits", "past_limit", "refused"]
    error: BudgetError | None
    left: Amounts
    downgrade: bool = False


@dataclass(slots=True)
class Chosen:
    """`place` is the option's; None when none fits. A barred option has no weighing."""

    place: int | None
    weighings: list[Weighing | None]
    admitted: Admitted | None
    memo: Any
    turn: int = 0
