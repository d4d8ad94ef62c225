"""One portion of the work after a month was archived: between commits, on the one writer."""

from dataclasses import dataclass

from protocols.archive import Doing


@dataclass(slots=True)
class TakeOut:
    """→ `Left`. Where the portion before this one ended: its month, and its last hold if any."""

    month: str | None = None
    after: str | None = ""


@dataclass(slots=True)
class Left:
    """Entries still to be taken out, or pages still to be given back."""

    doing: Doing
    left: int
    month: str | None = None
    after: str | None = None
