"""What a valid name is, and how an id is made."""

import base64
import secrets
from typing import Annotated, NewType

from pydantic import Field

NAME = r"^[A-Za-z0-9._:/@-]{1,128}$"

Component = Annotated[str, Field(pattern=NAME)]
Provider = Annotated[str, Field(pattern=NAME)]
Model = Annotated[str, Field(pattern=NAME)]
TaskType = Annotated[str, Field(pattern=NAME)]
ContextId = Annotated[str, Field(pattern=NAME)]
PolicyName = Annotated[str, Field(pattern=NAME)]
Tags = Annotated[
    dict[Annotated[str, Field(pattern=NAME)], Annotated[str, Field(pattern=NAME)]],
    Field(max_length=16),
]

HoldId = NewType("HoldId", str)
"""`rsv_…` or `alc_…`: time-ordered, and it says which ledger keeps it."""

RESERVATION, ALLOCATION = "rsv", "alc"
HOLD_ID = r"^(rsv|alc)_[0-9a-v]{32}$"
_LEDGER_BYTES = slice(6, 9)


class _Tails:
    """The random ends of ids: within a millisecond each is greater than the one before."""

    def __init__(self) -> None:
        self.at_ms = 0
        self.tail = 0

    def next(self, at_ms: int) -> bytes:
        if at_ms == self.at_ms:
            self.tail += 1 + secrets.randbits(64)
        else:
            self.at_ms, self.tail = at_ms, secrets.randbits(87)  # a bit's room to grow
        return self.tail.to_bytes(11, "big")


_tails = _Tails()


def hold_id(kind: str, at_ms: int, ledger: int) -> HoldId:
    """48 bits of time, 24 bits of ledger number, 88 random bits, in lower-case base32hex.

    A ledger's ids grow in the order they were made.
    """
    raw = at_ms.to_bytes(6, "big") + ledger.to_bytes(3, "big") + _tails.next(at_ms)
    return HoldId(f"{kind}_{base64.b32hexencode(raw).decode().lower()}")


def ledger_of(hold: str) -> int:
    """The number of the ledger that made this id. The caller has checked it against HOLD_ID."""
    return int.from_bytes(base64.b32hexdecode(hold[4:].upper())[_LEDGER_BYTES], "big")


def entry_id(seq: int) -> str:
    """The id of the journal's entry number `seq`."""
    return f"ent_{seq:016d}"
