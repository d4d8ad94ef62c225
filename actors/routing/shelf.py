"""The models on offer for a kind of call, made ready once for a price book and a day."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from actors.routing import fit
from actors.routing.listing import Listed, Listings
from actors.routing.memo import Memo
from protocols.prices import PriceBook
from protocols.routing.abilities import AbilityTable
from protocols.routing.offer import Offer
from protocols.tiers import Tier, TierTable

SHELVES_MAX = 16


class Wish(NamedTuple):
    """What a shelf is made for: patterns that name models, and what decides of any of them."""

    candidates: tuple[str, ...]
    local: tuple[str, ...]
    tiers: frozenset[str]
    component_tier: Tier | None
    today: date


Shelved = tuple[Offer, fit.Barred | None]
"""A model, and what keeps it from any call for which it was not asked by name."""


class Shelves:
    """Remembers what the usual wishes come to, until prices or tiers change."""

    def __init__(self, abilities: AbilityTable) -> None:
        self._abilities = abilities
        self._listings = Listings()
        self._known: Memo[Wish, tuple[Shelved, ...]] = Memo(SHELVES_MAX)

    def of(self, wish: Wish, book: PriceBook, tiers: TierTable) -> tuple[Shelved, ...]:
        return self._known.of(wish, book, tiers, lambda: tuple(self._shelved(wish, book, tiers)))

    def _shelved(self, wish: Wish, book: PriceBook, tiers: TierTable) -> Iterator[Shelved]:
        for listed, local in self._listed(wish, book):
            priced = listed.version is not None
            tier = tiers.tier_of_model(listed.provider, listed.model, wish.component_tier)
            offer = Offer(
                (listed.provider, listed.model, tier),
                listed.version or book.dearest(listed.provider),
                self._abilities.of(listed.provider, listed.model),
                priced=priced, local=local, place=listed.place,
            )  # fmt: skip
            reason = fit.never(offer, wish.tiers, wish.today)
            yield offer, None if reason is None else fit.Barred(offer, reason)

    def _listed(self, wish: Wish, book: PriceBook) -> Iterable[tuple[Listed, bool]]:
        usual = [(one, False) for one in self._listings.of(book, wish.candidates)]
        return [*usual, *((one, True) for one in self._listings.of(book, wish.local))]
