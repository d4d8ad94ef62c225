"""In which order to try the candidates. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from protocols.routing.words import Order


@dataclass(frozen=True, slots=True)
class Standing:
    """What a candidate's place depends on. `listed` counts from 0; free local ones come last."""

    provider: str
    model: str
    usd: int
    listed: int
    asked: bool
    local: bool


def ranked(candidates: Sequence[Standing], order: Order, like: Standing | None) -> list[int]:
    """Places of the candidates, the first to try first. `like` is what was asked for, if it can
    do the job: the others are to stay near it.
    """

    def by_price(one: Standing) -> tuple[object, ...]:
        return one.usd, not one.asked, one.listed, *name(one)

    def as_listed(one: Standing) -> tuple[object, ...]:
        return not one.asked, one.local, one.listed, one.usd, *name(one)

    def nearest(one: Standing) -> tuple[object, ...]:
        stranger = like is not None and one.provider != like.provider
        size = one.usd if like is None else -one.usd
        place = one.listed if stranger or like is None else 0
        return not one.asked, one.local, stranger, place, size, one.listed, *name(one)

    key = {"nearest": nearest, "cheapest": by_price, "listed": as_listed}[order]
    return sorted(range(len(candidates)), key=lambda place: key(candidates[place]))


def name(one: Standing) -> tuple[object, ...]:
    """Of equals the shorter name: `gpt-5` before `gpt-5-2025-08-07`."""
    return len(one.model), one.provider, one.model
