"""The catalogue: the embedded book and everything that was decided since, version by version."""

from bisect import insort
from collections.abc import Iterable

from actors.prices.known import Case, Key, Known, PriceState, key_of
from protocols.prices import PriceBook, PriceVersion


class Catalogue:
    """What is in force at any moment, and how that came about. Nothing is ever forgotten."""

    def __init__(self, base: PriceBook, state: PriceState) -> None:
        self.base = base
        self.cases: dict[Key, Case] = {case.key: case for case in state.cases}
        self.pins: set[Key] = set(state.pins)
        self.sources = dict(state.sources)
        self._known: dict[Key, list[Known]] = {}
        self._embedded = {key_of(v.provider, v.model): Known(v, "embedded") for v in base.models()}
        self.add(state.known)

    def add(self, more: Iterable[Known]) -> None:
        for known in more:
            insort(self._known.setdefault(known.key, []), known, key=_from_ms)

    def history(self, key: Key) -> list[Known]:
        """Every version, oldest first, those that are still to come among them."""
        embedded = self._embedded.get(key)
        return [*([embedded] if embedded else []), *self._known.get(key, ())]

    def current(self, key: Key, at_ms: int) -> Known | None:
        """What is in force at that moment."""
        for known in reversed(self._known.get(key, ())):
            if known.from_ms <= at_ms:
                return known
        return self._embedded.get(key)

    def find(self, provider: str | None, model: str, at_ms: int, book: PriceBook) -> Known | None:
        """The version in force then, by any name the book knows. Raises Unpriced if ambiguous."""
        found = book.find(provider, model)
        if found is None:
            return None
        known = self.current(key_of(found.provider, found.model), at_ms)
        return known or Known(found, "declared free")

    def current_by_key(self, at_ms: int) -> dict[Key, Known]:
        """Everything in force at that moment."""
        found = dict(self._embedded)
        for key in self._known:
            known = self.current(key, at_ms)
            if known is not None:
                found[key] = known
        return found

    def in_force(self, at_ms: int) -> list[PriceVersion]:
        return [known.version for known in self.current_by_key(at_ms).values()]

    def book(self, at_ms: int) -> PriceBook:
        """The book of that moment."""
        return self.base.with_versions(self.in_force(at_ms)) if self._known else self.base

    def next_change_ms(self, after_ms: int) -> int | None:
        """When the next version takes effect that is decided already."""
        coming = [k.from_ms for many in self._known.values() for k in many if k.from_ms > after_ms]
        return min(coming, default=None)

    def changes(self) -> list[tuple[Known, PriceVersion | None]]:
        """Every version since the embedded book with its predecessor, newest first."""
        found: list[tuple[Known, PriceVersion | None]] = []
        for key, many in self._known.items():
            embedded = self._embedded.get(key)
            before = None if embedded is None else embedded.version
            for known in many:
                found.append((known, before))
                before = known.version
        return sorted(found, key=lambda pair: -pair[0].from_ms)


def _from_ms(known: Known) -> int:
    return known.from_ms
