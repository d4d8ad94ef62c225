"""Who we are at Hermes and where we stand there. It outlives a fall of the envoy."""

from dataclasses import dataclass, field
from typing import Any

from actors.hermes.card import Card
from actors.hermes.membership import Membership, Pace
from actors.time import LedgerTime


@dataclass(slots=True)
class Presence:
    """`endpoint` is where we are to be found; nothing is said to Hermes before it is known."""

    url: str
    card: Card
    pace: Pace
    time: LedgerTime
    endpoint: str | None = None
    membership: Membership = field(default_factory=Membership)

    @property
    def registered(self) -> bool:
        return self.membership.state == "registered"

    def dependency(self) -> dict[str, Any]:
        """For `/health`: Hermes as one of the things a component depends on."""
        known = self.membership
        return {
            "name": "hermes",
            "status": "healthy" if self.registered else "unknown",
            "message": known.failure or known.state,
            "endpoint": self.url,
            "lastCheck": None,
        }

    def shown(self) -> dict[str, Any]:
        """For `/status`: no token in it."""
        now, known = self.time.monotonic(), self.membership
        due_at = min(known.next_at.values(), default=None)
        return {
            "url": self.url,
            "name": self.card.name,
            "state": known.state,
            "failures": known.failures,
            "failure": known.failure,
            "next_in_s": None if due_at is None else max(0.0, round(due_at - now, 1)),
        }
