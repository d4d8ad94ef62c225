"""What was worked out once, until prices or tiers change."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from protocols.prices import PriceBook
from protocols.tiers import TierTable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memo(Generic[K, V]):
    """Holds so many answers; when there are more it begins again."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[K, V] = {}
        self._of: tuple[PriceBook, TierTable] | None = None

    def of(self, key: K, book: PriceBook, tiers: TierTable, make: Callable[[], V]) -> V:
        same = self._of is not None and self._of[0] is book and self._of[1] is tiers
        if not same or len(self._known) >= self._most:
            self._known.clear()
            self._of = book, tiers
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = make()
        return found
