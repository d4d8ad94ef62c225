"""The language of imports: usage that another program has kept, brought in once and undoable."""

from dataclasses import dataclass, field
from typing import Annotated, Self

from pydantic import Field, model_validator

from protocols.journal import StoredBooking
from protocols.message import Request, Value
from protocols.money import Usd
from protocols.names import Component, Model, Provider, TaskType
from protocols.reports import Instant
from protocols.wanted import Metadata, Tokens

ROWS_MAX = 1000
ImportId = Annotated[str, Field(pattern=r"^imp_[0-9a-f]{16}$", description="imp_…")]
RowKey = Annotated[
    str, Field(pattern=r"^[0-9a-f]{32}$", description="a digest of all that the row says")
]


@dataclass(slots=True)
class Imported:
    """What became of some rows. The sums are of all of them as the journal has them now."""

    import_id: str
    booked: int
    known: int
    """Rows that were there already."""
    cost_usd: str
    tokens: int


@dataclass(slots=True)
class Undone:
    import_id: str
    undone: int
    left: int
    """Rows of the import that are still there."""


@dataclass(slots=True)
class ImportShown:
    """One import as it stands. Times are RFC 3339 UTC, of the first and the last usage."""

    import_id: str
    rows: int
    cost_usd: str
    tokens: int
    first: str
    last: str


@dataclass(slots=True)
class Imports:
    items: list[ImportShown] = field(default_factory=list)
    next_cursor: str | None = None


class Row(Value):
    """One use of a model as another program has kept it, and where it stood there."""

    key: RowKey
    at: Instant
    component: Component
    provider: Provider
    model: Model
    task_type: TaskType
    input_tokens: Tokens
    output_tokens: Tokens
    usd: Usd = Field(description="what the other program booked; not priced again")
    origin: Metadata = Field(description="file, row and whatever else says where it came from")


class ImportUsage(Request[Imported]):
    """Book usage of the past in its own time, at its own cost. What is known is passed over.

    It counts in reports, and in no policy: what is over cannot be held back.
    """

    import_id: ImportId
    rows: Annotated[list[Row], Field(min_length=1, max_length=ROWS_MAX)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({row.key for row in self.rows}) < len(self.rows):
            raise ValueError("rows: the same key is there twice; leave one of them out")
        return self


class UndoImport(Request[Undone]):
    """Take rows of an import out again, each by a visible entry. Ask until none is left."""

    import_id: ImportId
    limit: Annotated[int, Field(ge=1, le=ROWS_MAX)] = ROWS_MAX


class ListImports(Request[Imports]):
    """What came in from elsewhere and is still there."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: ImportId | None = None


@dataclass(slots=True)
class Known:
    """A row that is in the journal."""

    usd: int
    tokens: int


@dataclass(slots=True)
class FindImported:
    """Which of these rows are there? → `dict[str, Known]` by key."""

    keys: list[str]


@dataclass(slots=True)
class FindImportRows:
    """Rows of one import, and how many more there are. → `ImportRows`."""

    import_id: str
    limit: int


@dataclass(slots=True)
class ImportRows:
    rows: list[StoredBooking]
    left: int
