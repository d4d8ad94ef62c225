"""The facet of an entry: what roll-ups tell apart, so that reports can by any part of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic_core import to_json

from protocols.journal import Entry
from protocols.period import DAY_MS, HOUR_MS, QUARTER_MS

WIDTHS_MS = (QUARTER_MS, HOUR_MS, DAY_MS)
"""Each roll-up is kept in three widths, cut in UTC. A quarter of an hour tiles the hours and days
of every zone; where a wider one does, a report has fewer rows to read."""


class Facet(NamedTuple):
    """The facts of a call, and where it counted: by windows, or by the policy that refused it."""

    component: str
    provider: str
    model: str
    tier: str
    task_type: str
    price_version: str
    tags: str
    """A JSON object in order of its names; empty for none."""
    windows: tuple[int, ...] = ()
    refused_by: str = ""


RollupKey = tuple[int, Facet]
"""The start of a quarter of an hour (ms), and what was going on in it."""


def facet_of(entry: Entry, windows: Sequence[int], refused_by: str = "") -> Facet:
    body = entry.body
    tags: dict[str, Any] | None = body.get("tags")
    return Facet(
        entry.component, body["provider"], body["model"], body["tier"], body["task_type"],
        body.get("price_version") or "", "" if tags is None else to_json(tags).decode(),
        tuple(windows), refused_by,
    )  # fmt: skip


def policies_text(names: set[str]) -> str:
    """Policies as a facet's row has them: in order, a space between."""
    return " ".join(sorted(names))
