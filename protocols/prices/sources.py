"""The language of price sources: who says what models cost, when they last said it, refreshing."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from protocols.message import Request

SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Note = Annotated[str, Field(max_length=500, description="why; it is kept with the entry")]

SourceState = Literal["ok", "stale", "failed", "held", "never"]


@dataclass(slots=True)
class SourceShown:
    """One price source, and whether what it said is in use."""

    name: str
    family: Annotated[str, Field(description="sources that copy each other are one family")]
    state: Annotated[
        SourceState,
        Field(description="held: its last file changed too much at once and waits for a person"),
    ]
    fetched_at: Annotated[str | None, Field(description="when it last confirmed its file")]
    age_s: Annotated[int | None, Field(description="seconds since then")]
    models: Annotated[int, Field(description="models it prices in the file that is in use")]
    rejected_rows: Annotated[int, Field(description="rows of it that nobody could believe")]
    sha256: Annotated[str | None, Field(description="digest of the file in use")]
    etag: str | None
    failure: Annotated[str | None, Field(description="why the last fetch or file is not in use")]


@dataclass(slots=True)
class SourceList:
    items: list[SourceShown] = field(default_factory=list)


@dataclass(slots=True)
class Counted:
    """What became of the models at a refresh. Each model is counted once."""

    applied: Annotated[int, Field(description="a new price took effect")] = 0
    confirmed: Annotated[int, Field(description="two families or more say what is in force")] = 0
    single: Annotated[int, Field(description="in force, and one family alone says so")] = 0
    quarantined: Annotated[int, Field(description="a person has to look; the old price stays")] = 0
    rejected: Annotated[int, Field(description="impossible, whoever says it")] = 0
    unlisted: Annotated[int, Field(description="in force, and no source names it any more")] = 0
    pinned: Annotated[int, Field(description="pinned by a person; sources are not heard")] = 0


@dataclass(slots=True)
class Refreshed:
    """What a refresh came to."""

    models: Counted
    guards: Annotated[
        dict[str, int], Field(description="guard → how many models of this refresh it stopped")
    ]
    sources: list[SourceShown]


class RefreshPrices(Request[Refreshed]):
    """Fetch the price sources now, check them against each other, apply what is beyond doubt."""

    source: SourceName | None = Field(None, description="only this source; the others as they are")


class ListPriceSources(Request[SourceList]):
    """The price sources: age, state, digest, and what is wrong with them."""


class ApproveSource(Request[Refreshed]):
    """Take a held file after all. Its rows are judged one by one, like any other's."""

    source: SourceName
    note: Note | None = None
