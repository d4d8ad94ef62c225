"""The models a list of candidates names: exact names and globs, looked up in the price book."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from protocols.errors import Unpriced
from protocols.prices import PriceBook, PriceVersion
from protocols.prices.names import model_name, provider_name
from protocols.prices.version import ANY_MODEL

LISTINGS_MAX = 64
WILD = frozenset("*?[")


class Listed(NamedTuple):
    """One model and the first pattern that names it. Without a version nobody knows its price."""

    provider: str
    model: str
    version: PriceVersion | None
    place: int


class Listings:
    """Remembers what a list of candidates comes to, until the price book changes."""

    def __init__(self) -> None:
        self._book: PriceBook | None = None
        self._known: dict[tuple[str, ...], tuple[Listed, ...]] = {}

    def of(self, book: PriceBook, patterns: tuple[str, ...]) -> tuple[Listed, ...]:
        if book is not self._book or len(self._known) >= LISTINGS_MAX:
            self._known.clear()
            self._book = book
        found = self._known.get(patterns)
        if found is None:
            found = self._known[patterns] = tuple(_once(_listed(book, patterns)))
        return found


def _once(listed: Iterable[Listed]) -> Iterator[Listed]:
    seen: set[tuple[str, str]] = set()
    for one in listed:
        key = (one.provider, model_name(one.model))
        if key not in seen:
            seen.add(key)
            yield one


def _listed(book: PriceBook, patterns: tuple[str, ...]) -> Iterator[Listed]:
    for place, pattern in enumerate(patterns):
        provider, _, model = pattern.partition("/")
        if not WILD.intersection(pattern):
            yield _named(book, provider, model, place)
            continue
        wanted = f"{provider_name(provider)}/{model}".lower()
        for version in book.models():
            if fnmatchcase(f"{version.provider}/{version.model}".lower(), wanted):
                yield Listed(version.provider, version.model, version, place)


def _named(book: PriceBook, provider: str, model: str, place: int) -> Listed:
    try:
        version = book.find(provider, model)
    except Unpriced:
        version = None
    any_model = version is None or version.model == ANY_MODEL
    return Listed(
        provider_name(provider), model if any_model or version is None else version.model,
        version, place,
    )  # fmt: skip
