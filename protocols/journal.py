"""Entries: what the journal keeps, and what it is told and asked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from protocols.events import Place
from protocols.message import Request
from protocols.names import Component

KINDS = (
    "held", "denied", "settled", "overrun", "late", "drawn", "recorded", "released", "expired",
    "allocated", "extended", "window_opened",
    "priced", "ledger_opened", "policy_set", "policy_removed", "budget_set",
    "budget_removed",
    "price_set", "price_held", "price_cleared", "price_rejected", "price_pinned",
    "source_taken", "source_held", "corrected", "token_made", "token_revoked",
    "loss_accepted", "imported", "import_undone",
    "noticed", "alert_acknowledged", "alert_resolved",
    "proposed", "proposal_ended", "archived",
)  # fmt: skip
"""What an entry can be. `settled`, `overrun`, `late`, `drawn` and `recorded` book money;
`noticed` changes no table: it is there to be told."""
BOOKINGS = frozenset({"settled", "overrun", "late", "drawn", "recorded"})
ENDS = frozenset({"settled", "overrun", "late", "released", "expired"})


@dataclass(slots=True)
class Draft:
    """An entry before the journal has numbered it.

    `subject` is the hold, policy or window it is about; `body` holds JSON values only:
    money as whole nano-dollars, times as milliseconds.
    """

    kind: str
    component: str
    subject: str
    body: dict[str, Any]


def loss_accepted(why: str) -> Draft:
    """A person started the daemon on a journal of which something is missing."""
    return Draft("loss_accepted", "", "journal", {"why": why})


@dataclass(slots=True)
class Entry:
    """One immutable line. `hash` covers the line and its predecessor's hash."""

    seq: int
    at_ms: int
    kind: str
    component: str
    subject: str
    text: str
    """The body as canonical JSON: what was hashed."""
    body: dict[str, Any]
    hash: bytes


@dataclass(slots=True)
class KeyUsed:
    """An idempotency record, written with the effect it belongs to."""

    key: bytes
    """Digest over component, operation, principal and the caller's key."""
    fingerprint: bytes
    """Digest of the request's body."""


@dataclass(slots=True)
class Append:
    """Write these entries, then answer the call that rides along; nothing to write is a barrier.

    An `answer` that is a `BudgetError` refuses the call. With `stamp`, the answer's `entry_id`
    becomes the id of the last entry.
    """

    drafts: list[Draft]
    answer: Any = None
    key: KeyUsed | None = None
    stamp: bool = False
    place: Place | None = None
    """How far a channel has come; it rides along with whatever is written next."""


@dataclass(slots=True)
class FindKey:
    """Is this key in use? → `KeyFound`, told to the ledger."""

    ledger: str
    key: bytes
    memo: Any


@dataclass(slots=True)
class KeyFound:
    """`answer` is the stored JSON of a reply, or of a problem when `refused`; None if new."""

    fingerprint: bytes | None
    answer: str | None
    refused: bool
    memo: Any


@dataclass(slots=True)
class Recall:
    """What became of a hold that the ledger no longer has? → `Recalled`."""

    ledger: str
    hold: str
    memo: Any


@dataclass(slots=True)
class StoredHold:
    """A hold as the journal's table has it. Amounts are what is still held."""

    id: str
    component: str
    status: str
    expires_ms: int
    usd: int
    tokens: int
    calls: int
    opened: dict[str, Any]
    """The body of the entry that opened it."""
    price: dict[str, Any] | None = None
    """The rates of its price version."""
    spent_usd: int = 0
    spent_tokens: int = 0
    spent_calls: int = 0
    late: bool = False


@dataclass(slots=True)
class Recalled:
    hold: StoredHold | None
    memo: Any


@dataclass(slots=True)
class StoredBooking:
    """A booking as the journal has it."""

    seq: int
    at_ms: int
    kind: str
    component: str
    subject: str
    body: dict[str, Any]


@dataclass(slots=True)
class FindProvisional:
    """Which bookings wait for a price? → `ProvisionalFound`, the oldest first."""

    after_seq: int = 0
    limit: int = 1000


@dataclass(slots=True)
class FoldBookings:
    """Hand every booking at a model's prices since a moment to `add`, on a thread that only reads.

    Answered with True when `add` has seen them all. Setting `stop` ends it early.
    """

    version_prefix: str
    """What the ids of the price versions begin with: `openai/gpt-5@`."""
    since_ms: int
    add: Callable[[StoredBooking, dict[int, str]], None]
    """Called with the booking and the policies of its windows by number."""
    stop: bool = False


@dataclass(slots=True)
class FoldPast:
    """Go through the past on a thread that only reads. Answered when `add` has seen it all.

    `begin` gets every change of a policy before the moment, and says from when on `add` is to be
    called: with each entry up to `until_ms`, in order. Setting `stop` ends it early.
    """

    since_ms: int
    until_ms: int
    begin: "Callable[[list[StoredBooking]], int]"
    add: "Callable[[StoredBooking], None]"
    progress: "Callable[[int, int], None]"
    """Called now and then with the entries seen and how many there are."""
    stop: bool = False


@dataclass(slots=True)
class FoldKeys:
    """Hand every idempotency key in use to `take`, on a thread that only reads."""

    take: "Callable[[Iterable[bytes]], None]"


@dataclass(slots=True)
class EntryShown:
    """One line of the journal."""

    entry_id: str
    seq: int
    at: str
    kind: str
    component: str
    subject: str
    body: dict[str, Any]
    hash: str


@dataclass(slots=True)
class Entries:
    items: list[EntryShown] = field(default_factory=list)
    next_cursor: str | None = None


class ListEntries(Request[Entries]):
    """The journal, oldest first or newest first: what happened, with every figure."""

    newest: bool = Field(default=False, description="the newest first; a cursor then leads back")
    component: Component | None = None
    kind: Annotated[str, Field(pattern="^[a-z_]{1,32}$")] | None = None
    subject: Annotated[str, Field(max_length=128)] | None = Field(
        default=None, description="a reservation, allocation, policy or window"
    )
    calls: bool = Field(default=False, description="only bookings and refusals")
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: Annotated[str, Field(pattern="^[0-9]{1,16}$")] | None = None
