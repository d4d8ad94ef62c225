"""What a valid name is, and how an id is made."""

import os
from itertools import product
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


_RANDOM_BYTES = 4096
_PAIRS = tuple(map("".join, product("0123456789abcdefghijklmnopqrstuv", repeat=2)))
"""Two digits of base32hex for each ten bits."""
_SHIFTS = tuple(range(150, -1, -10))


class _Tails:
    """The random ends of ids: within a millisecond each is greater than the one before."""

    def __init__(self) -> None:
        self.at_ms = 0
        self.tail = 0
        self._pool = b""
        self._taken = 0

    def next(self, at_ms: int) -> int:
        if at_ms == self.at_ms:
            self.tail += 1 + self._random(8)
        else:
            self.at_ms, self.tail = at_ms, self._random(11) >> 1  # a bit's room to grow
        return self.tail

    def _random(self, size: int) -> int:
        """From a pool: to ask the system for each id costs as much as the rest of it."""
        begin = self._taken
        if begin + size > len(self._pool):
            self._pool, begin = os.urandom(_RANDOM_BYTES), 0
        self._taken = begin + size
        return int.from_bytes(self._pool[begin : self._taken], "big")


_tails = _Tails()


def hold_id(kind: str, at_ms: int, ledger: int) -> HoldId:
    """48 bits of time, 24 bits of ledger number, 88 random bits, in lower-case base32hex.

    A ledger's ids grow in the order they were made.
    """
    bits = at_ms << 112 | ledger << 88 | _tails.next(at_ms)
    return HoldId(f"{kind}_{''.join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])}")


def ledger_of(hold: str) -> int:
    """The number of the ledger that made this id. The caller has checked it against HOLD_ID."""
    return int(hold[4:], 32) >> 88 & 0xFFFFFF


def made_ms(hold: str) -> int:
    """When this id was made. The caller has checked it against HOLD_ID."""
    return int(hold[4:], 32) >> 112


def entry_id(seq: int) -> str:
    """The id of the journal's entry number `seq`."""
    return f"ent_{seq:016d}"
