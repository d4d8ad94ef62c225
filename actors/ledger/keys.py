"""Idempotency: the first answer under a key is the answer, however often it is asked."""

import hashlib
from collections import OrderedDict
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from protocols.message import Call

ANSWERS_MAX = 256
SEEN_MAX = 65_536


@dataclass(slots=True)
class Flight:
    """Being worked on. Who repeats the key meanwhile waits for the same answer."""

    fingerprint: bytes
    waiting: list[Call[Any]] = field(default_factory=list)


@dataclass(slots=True)
class Known:
    """Answered. A `BudgetError` is a refusal for lack of budget: final, too."""

    fingerprint: bytes
    answer: Any


class Keys:
    """The keys of one ledger: those in flight, the latest answers, and which keys were ever used.

    `old` are the keys the journal had at the start; None when they are too many to keep here.
    Only a key that may be in the journal and is not known here costs a look-up.
    """

    def __init__(self, old: AbstractSet[bytes] | None) -> None:
        self.flights: dict[bytes, Flight] = {}
        self._old = old
        self._known: OrderedDict[bytes, Known] = OrderedDict()
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def known(self, key: bytes) -> Known | None:
        return self._known.get(key)

    def maybe_in_journal(self, key: bytes) -> bool:
        return self._old is None or key in self._old or key in self._seen

    def land(self, key: bytes, answer: Any) -> Flight:
        """The work under this key has come to an answer that counts for ever."""
        flight = self.flights.pop(key)
        self._known[key] = Known(flight.fingerprint, answer)
        if len(self._known) > ANSWERS_MAX:
            self._known.popitem(last=False)
        self._seen[key] = None
        if len(self._seen) > SEEN_MAX:
            self._old = None
            self._seen.clear()
        return flight

    def abandon(self, key: bytes) -> Flight:
        """It came to nothing that is kept: the key is free again."""
        return self.flights.pop(key)


def digest(*parts: str) -> bytes:
    """16 bytes over component, operation, principal and key."""
    return hashlib.sha256("\0".join(parts).encode()).digest()[:16]
