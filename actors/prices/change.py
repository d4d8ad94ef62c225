"""A change of what is in force: written down first, then taken into the catalogue."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from actors.prices.catalogue import Catalogue
from actors.prices.known import Case, Key, Known
from protocols.journal import Draft

T = TypeVar("T")
AT_ONCE = 50
"""Versions or cases in one entry."""


@dataclass(slots=True)
class Change:
    """Versions, cases and pins; who decided is in each of them."""

    versions: list[Known] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    rejected: list[Case] = field(default_factory=list)
    cleared: list[Case] = field(default_factory=list)
    pins: dict[Key, dict[str, Any]] = field(default_factory=dict)

    def drafts(self, by: str) -> Iterator[Draft]:
        """The entries that tell of it."""
        for some in _batched(self.versions):
            about = some[0].version.id if len(some) == 1 else "refresh"
            yield Draft("price_set", "", about, {"versions": [one.body() for one in some]})
        for kind, cases in (("price_held", self.cases), ("price_rejected", self.rejected)):
            for batch in _batched(cases):
                about = batch[0].name if len(batch) == 1 else "refresh"
                body = {"cases": [case.body() for case in batch], "by": by}
                yield Draft(kind, "", about, body)
        for batch in _batched(self.cleared):
            about = batch[0].name if len(batch) == 1 else "refresh"
            yield Draft(
                "price_cleared", "", about, {"cases": [case.name for case in batch], "by": by}
            )
        for body in self.pins.values():
            yield Draft("price_pinned", "", f"{body['provider']}/{body['model']}", body)

    def take_effect(self, catalogue: Catalogue) -> None:
        catalogue.add(self.versions)
        for case in self.cleared:
            catalogue.cases.pop(case.key, None)
        for case in (*self.cases, *self.rejected):
            catalogue.cases[case.key] = case
        for key, body in self.pins.items():
            (catalogue.pins.add if body["pinned"] else catalogue.pins.discard)(key)


def _batched(many: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(many), AT_ONCE):
        yield many[start : start + AT_ONCE]
