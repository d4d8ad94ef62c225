"""Idempotency: the first answer under a key is the answer, however often it is asked."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from protocols.message import Call

KNOWN_MAX = 4096


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
    """The keys of one ledger: those in flight, and the latest answers.

    `complete` while every key of this component that the journal has is here as well; then a
    key that is not here is new.
    """

    def __init__(self, *, complete: bool) -> None:
        self.complete = complete
        self.flights: dict[bytes, Flight] = {}
        self._known: OrderedDict[bytes, Known] = OrderedDict()

    def known(self, key: bytes) -> Known | None:
        return self._known.get(key)

    def land(self, key: bytes, answer: Any) -> Flight:
        """The work under this key has come to an answer that counts for ever."""
        flight = self.flights.pop(key)
        self._known[key] = Known(flight.fingerprint, answer)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
            self.complete = False
        return flight

    def abandon(self, key: bytes) -> Flight:
        """It came to nothing that is kept: the key is free again."""
        return self.flights.pop(key)


def digest(*parts: str) -> bytes:
    """16 bytes over component, operation, principal and key."""
    return hashlib.sha256("\0".join(parts).encode()).digest()[:16]
