"""What every verb of a ledger works with."""

from typing import Any

from actors.ledger.directory import Directory
from actors.ledger.hold import Hold
from actors.ledger.once import Once
from actors.ledger.sieve import UsedKeys
from actors.routing.router import Router
from actors.tell import Tell
from actors.time import LedgerTime
from protocols.correct import Amended
from protocols.message import Call
from protocols.policy.charge import ZERO, Amounts, Places
from protocols.prices import PriceBook
from protocols.routing.abilities import AbilityTable
from protocols.tiers import TierTable
from protocols.token_estimate import Counting


class Desk:
    """One component's open holds, and its way to the policy engine and the journal."""

    def __init__(
        self,
        component: str,
        tell: Tell,
        time: LedgerTime,
        book: PriceBook,
        tiers: TierTable,
        directory: Directory,
        used: UsedKeys,
        count: Counting | None = None,
        router: Router | None = None,
    ) -> None:
        self.component = component
        self.name = f"ledger:{component}"
        self.number = directory.number_of(component)
        self.tell = tell
        self.time = time
        self.book = book
        self.tiers = tiers
        self.directory = directory
        self.count = count
        self.router = router or Router(AbilityTable({}))
        self.holds: dict[str, Hold] = {}
        self.once = Once(self.name, component, tell, used)
        self.recalls = 0
        """Questions to the journal about ended holds that are still out."""
        self.ended_meanwhile: set[str] = set()

    def ask_policy(self, message: object, call: Call[Any]) -> None:
        self.tell("policy", message, call)

    def note_parent(self, places: Places, drawn: Amounts = ZERO) -> None:
        """An allocation changed because one of its draws did."""
        allocation = self.holds.get(places.parent or "")
        if allocation is not None and places.parent_held is not None:
            allocation.held = places.parent_held
            allocation.spend(drawn)

    def amend(self, found: Amended) -> None:
        """What open holds have spent got its real price."""
        for name in found.holds:
            hold = self.holds.get(name)
            if hold is not None:
                hold.spend(Amounts(found.usd, 0, 0))

    def close(self, hold: Hold) -> None:
        """It has ended; from here on only the journal knows it."""
        self.holds.pop(hold.id, None)
        if self.recalls:
            self.ended_meanwhile.add(hold.id)
