"""Idempotency: the first answer under a key is the answer, however often it is asked."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from actors.ledger.sieve import UsedKeys
from protocols.message import Call

ANSWERS_MAX = 256


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

    Only a key that may be in the journal and is not known here costs a look-up.
    """

    def __init__(self, used: UsedKeys) -> None:
        self.flights: dict[bytes, Flight] = {}
        self._used = used
        self._known: OrderedDict[bytes, Known] = OrderedDict()

    def known(self, key: bytes) -> Known | None:
        return self._known.get(key)

    def maybe_in_journal(self, key: bytes) -> bool:
        return key in self._used

    def land(self, key: bytes, answer: Any) -> Flight:
        """The work under this key has come to an answer that counts for ever."""
        flight = self.flights.pop(key)
        self._known[key] = Known(flight.fingerprint, answer)
        if len(self._known) > ANSWERS_MAX:
            self._known.popitem(last=False)
        self._used.new.add(key)
        return flight

    def abandon(self, key: bytes) -> Flight:
        """It came to nothing that is kept: the key is free again."""
        return self.flights.pop(key)


def digest(*parts: str) -> bytes:
    """16 bytes over component, operation, principal and key."""
    return hashlib.sha256("\0".join(parts).encode()).digest()[:16]
