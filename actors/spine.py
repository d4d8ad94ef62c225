"""The spine: policy engine and ledgers, built from the journal at start and after every fall."""

from collections.abc import Iterable
from typing import Any

from actors.journal.journal import Flush
from actors.ledger.directory import Directory
from actors.ledger.ledger import Ledger
from actors.ledger.sieve import UsedKeys
from actors.policy.engine import PolicyEngine
from actors.policy.policies import Seed
from actors.ports import Start, Store
from actors.routing.router import Router
from actors.runtime import Ref
from actors.supervision import Roster
from actors.time import LedgerTime
from protocols.journal import FoldKeys
from protocols.message import DAEMON, Caller, Done, R, Request
from protocols.policy.messages import ListBudgets
from protocols.prices import PriceBook, PricesChanged
from protocols.routing.abilities import AbilityTable
from protocols.tiers import TierTable
from protocols.token_estimate import Counting


class Builder:
    """Makes the actors that decide, and knows the address of every hold."""

    def __init__(
        self,
        roster: Roster,
        store: Store,
        time: LedgerTime,
        book: PriceBook,
        tiers: TierTable,
        components_max: int,
        open_max: int,
        count: Counting | None = None,
        router: Router | None = None,
        key_hours: int = 24,
    ) -> None:
        self.roster = roster
        self.store = store
        self.time = time
        self.book = book
        self.tiers = tiers
        self.components_max = components_max
        self.open_max = open_max
        self.count = count
        self.router = router or Router(AbilityTable({}))
        self.key_s = key_hours * 3600.0
        self.directory: Directory | None = None

    async def start(self) -> None:
        """Rebuild everything from what is on disk, and register it."""
        self.build(await self.store.start())

    def build(self, start: Start) -> None:
        roster = self.roster
        directory = self.directory = Directory(
            roster.tell,
            start.ledgers,
            start.priced,
            self.components_max,
            self.open_max,
        )
        engine = PolicyEngine.start(roster.tell, self.time, self.book, self.tiers, start.engine)
        roster.register("policy", engine)

        used = UsedKeys(start.keys, self.key_s, self.time.monotonic)
        if start.keys is None:
            roster.tell("journal", FoldKeys(used.came))

        def ledger(name: str) -> Ref:
            component = name.partition(":")[2]
            return Ledger.start(
                component, roster.tell, self.time, self.book, self.tiers, directory, used,
                start.holds.pop(component, ()), self.count, self.router,
            )  # fmt: skip

        roster.factory("ledger:", ledger)
        for component in list(start.holds):
            roster.register(f"ledger:{component}", ledger(f"ledger:{component}"))

    def change_book(self, book: PriceBook) -> None:
        """Decide with these prices from now on, after a fall of the spine too."""
        self.book = book
        message = PricesChanged(book)
        for row in self.roster.table():
            if row.name == "policy" or row.name.startswith("ledger:"):
                self.roster.tell(row.name, message)

    async def seed(self, seeds: Iterable[Seed]) -> None:
        """What `budget.toml` says is in force and on disk when this returns."""
        for seed in seeds:
            self.roster.tell("policy", seed)
        await self.roster.ask("policy", ListBudgets(), DAEMON)  # it answers after all of them
        await self.flush()

    async def flush(self) -> None:
        """Return when the journal has written and answered all it was handed."""
        await self.roster.ask("journal", Flush(), DAEMON)

    async def ask(self, to: str, request: Request[R], caller: Caller) -> R:
        """The doors' way in: an address becomes a name, and the call is let in or refused."""
        if self.directory is not None:
            to = self.directory.address(to)
        return await self.roster.ask(to, request, caller)

    def put(self, to: str, request: Request[Any], caller: Caller, done: Done) -> None:
        """The same way in, for doors that do not wait: `done` is told."""
        if self.directory is not None:
            to = self.directory.address(to)
        self.roster.put(to, request, caller, done)
