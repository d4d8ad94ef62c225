"""Which facets a report looks at, and into which groups each of them falls."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from actors.policy.match import glob
from protocols.reports import ShowReport

Key = tuple[str | None, ...]
"""The values of a group, in the order of `group_by`."""
FIELDS = ("provider", "model", "tier", "task_type")


class StoredFacet(NamedTuple):
    """A row of the facet table."""

    id: int
    component: str
    provider: str
    model: str
    tier: str
    task_type: str
    price_version: str
    tags: str
    policies: str


class Place(NamedTuple):
    """The groups of a facet, and what a token read from a cache saved it (USD a million)."""

    keys: tuple[Key, ...]
    saving: Decimal


class Seat(NamedTuple):
    """A policy that counted the call, and its budget."""

    policy: str | None
    budget: str | None


NOWHERE = Seat(None, None)


def placed(
    ask: ShowReport,
    facets: Iterable[StoredFacet],
    budgets: Mapping[str, str],
    savings: Mapping[str, Decimal],
) -> dict[int, Place]:
    """The place of each facet that the report looks at, by its number."""
    found = {}
    for facet in facets:
        tags = json.loads(facet.tags) if facet.tags else {}
        seats = seats_of(ask, facet, budgets)
        if seats and fits(ask, facet, tags):
            keys = dict.fromkeys(key_of(ask.group_by, facet, tags, seat) for seat in seats)
            saving = savings.get(facet.price_version, Decimal(0))
            found[facet.id] = Place(tuple(keys), saving)
    return found


def seats_of(ask: ShowReport, facet: StoredFacet, budgets: Mapping[str, str]) -> list[Seat]:
    """Where it counted, as far as the report asks; `NOWHERE` if no policy did."""
    seats = [Seat(name, budgets.get(name)) for name in facet.policies.split()] or [NOWHERE]
    return [
        seat
        for seat in seats
        if ask.policy in (None, seat.policy) and ask.budget in (None, seat.budget)
    ]


def fits(ask: ShowReport, facet: StoredFacet, tags: Mapping[str, str]) -> bool:
    if ask.component not in (None, facet.component):
        return False
    for name in FIELDS:
        pattern = getattr(ask, name)
        if pattern is not None and not glob(pattern)(getattr(facet, name)):
            return False
    return all(name in tags and glob(p)(tags[name]) for name, p in ask.tags.items())


def key_of(
    group_by: tuple[str, ...], facet: StoredFacet, tags: Mapping[str, str], seat: Seat
) -> Key:
    return tuple(value_of(dimension, facet, tags, seat) for dimension in group_by)


def value_of(dimension: str, facet: StoredFacet, tags: Mapping[str, str], seat: Seat) -> str | None:
    if dimension.startswith("tag."):
        return tags.get(dimension[4:])
    if dimension in ("policy", "budget"):
        return seat.policy if dimension == "policy" else seat.budget
    value: str = getattr(facet, dimension)
    return value or None
