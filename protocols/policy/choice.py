"""What a ledger and the policy engine say to each other to choose one of several models."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from protocols.errors import BudgetError
from protocols.policy.charge import Admit, Admitted, Amounts
from protocols.routing.offer import Load, Offer


@dataclass(slots=True)
class Option:
    """One model that could serve the call. `asked`: the one that was asked for."""

    offer: Offer
    load: Load
    usd: int
    asked: bool = False

    @property
    def amounts(self) -> Amounts:
        return Amounts(self.usd, self.load.tokens, 1)


@dataclass(slots=True)
class Choose:
    """Take the first that fits, or else the first that fits beyond a limit. → `Chosen`.

    Looking and taking are one step. `shown`: weigh them all, and say of so many, the fitting ones
    first, what is the matter; 0: the first that fits is enough. `downgrade`: the first is the call
    as asked; it is taken if it fits by now, and nothing is if a limit that denies stops it.
    """

    call: Admit
    """The call; an option puts its model and its price into it."""
    options: Sequence[Option]
    take: bool
    shown: int
    memo: Any
    downgrade: bool = False

    def admit(self, place: int) -> Admit:
        """The call on this model."""
        option, subject = self.options[place], self.call.subject
        provider, model, tier = option.offer.kind
        return replace(
            self.call,
            subject=subject._replace(provider=provider, model=model, tier=tier),
            amounts=option.amounts,
            estimate=option.load.usage,
            version=option.offer.version,
            priced=option.offer.priced,
        )


@dataclass(slots=True)
class Weighing:
    """What the limits say to one option; `left` is the room on each axis."""

    verdict: Literal["fits", "past_limit", "refused"]
    left: Amounts
    error: BudgetError | None = None
    """The refusal with its numbers. The first has it; of the others that are shown, a sentence."""
    detail: str = ""
    downgrade: bool = False


@dataclass(slots=True)
class Chosen:
    """`place` is the option's; None when none fits."""

    place: int | None
    weighings: list[Weighing]
    admitted: Admitted | None
    memo: Any
    turn: int = 0
