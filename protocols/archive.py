"""The archive: closed months that lie in files of their own."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from protocols.message import Request

WAIT_MAX_S = 20.0
AFTER_MONTHS = 3

Doing = Literal["copying", "taking out", "giving back"]


@dataclass(slots=True)
class ArchivedMonth:
    """One sealed file. `last_hash` is that of its last entry, `sha256` that of the file."""

    month: str
    file: str
    first_seq: int
    last_seq: int
    entries: int
    last_hash: str
    sha256: str
    size_bytes: int
    archived_at: str


@dataclass(slots=True)
class Archive:
    """What lies in files, the oldest month first, and what is being done."""

    months: list[ArchivedMonth] = field(default_factory=list)
    status: Literal["idle", "working"] = "idle"
    doing: Doing | None = None
    month: str | None = None
    """The month that is being archived."""
    done: int = 0
    total: int = 0
    """Of `doing`: entries to copy, entries to take out, or pages of the file to give back."""
    failed: str | None = None
    """Why the last attempt came to an end."""


class ArchiveMonths(Request[Archive]):
    """Move the entries of closed months into files of their own, one a month, and seal them.

    Answered at once; show_archive tells how far it is. Reports, lists, replay, late settles and
    verify reach what was moved. It is not undone.
    """

    after_months: Annotated[int, Field(ge=0, le=1200)] = Field(
        default=AFTER_MONTHS,
        description="full months, in UTC, that stay beside the one of now; 0: every closed month "
        "is moved",
    )


class ShowArchive(Request[Archive]):
    """Which months lie in files of their own, and how far the work on the next one is."""

    wait_s: Annotated[float, Field(ge=0, le=WAIT_MAX_S)] = Field(
        default=0.0, description="answer when nothing is being done, or after so long"
    )
