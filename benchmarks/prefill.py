"""A long history, fast: a month of calls through the house's own actors, without loop or door.

Ledgers and policy engine get their messages from a plain queue and see a clock that runs through
the month; what they write down is chained and stored in large transactions. `verify` then adds it
all up again, so a journal is only used if it is true.
"""

import hashlib
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from actors.alerts.outbox import Outbox, OutboxStart
from actors.journal.chain import GENESIS, link
from actors.journal.projection import Changes
from actors.ledger.directory import Directory
from actors.ledger.ledger import Ledger
from actors.policy.engine import PolicyEngine
from actors.policy.policies import Sweep
from actors.policy.state import EngineState
from actors.ports import Batch
from actors.runtime import NOBODY
from actors.time import LedgerTime
from benchmarks.calls import COMPONENTS, USAGE, wanted
from daemon.clock import SystemClock
from daemon.config.load import load
from daemon.journal.files import DATABASE, connect_writer, migrations
from daemon.journal.rollups import Facets
from daemon.journal.seeds import changed_seeds
from daemon.journal.verify import verify
from daemon.journal.write import write
from daemon.prices import load_book
from protocols.errors import BudgetError
from protocols.journal import Append
from protocols.ledger import Reserve, Settle
from protocols.message import Call, Caller
from protocols.tiers import DEFAULT

MONTH_MS = 30 * 24 * 3_600_000
CALLS_IN_A_SESSION = 50
BATCH = 20_000
OPEN_MAX = 1_000_000
"""Holds of one component that may be open: more than are made."""

Progress = Callable[[str, int, int], None]
Models = Sequence[str]
ONE_MODEL: Models = ("gpt-4o-mini",)


class Past:
    """A clock that is set by hand."""

    def __init__(self, ms: int) -> None:
        self.ms = ms

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000


class Asked:
    """A call that keeps its answer."""

    caller = Caller("benchmark", "admin")
    reply: Any = None

    def answer(self, reply: object) -> None:
        self.reply = reply

    def refuse(self, error: BudgetError) -> None:
        raise error


class House:
    """Policy engine, ledgers and a journal that is written now and then."""

    def __init__(self, db: sqlite3.Connection, clock: Past) -> None:
        self.db = db
        self.time = LedgerTime(clock)
        self.seq, self.hash = 0, GENESIS
        self.facets = Facets()
        self.outbox = Outbox(OutboxStart())
        self.batch = Batch([], Changes(), [])
        self.post: deque[tuple[str, Any, Call[Any]]] = deque()
        book = load_book()
        directory = Directory(self.tell, {}, set(), COMPONENTS, OPEN_MAX)
        engine = PolicyEngine(self.tell, self.time, book, DEFAULT, EngineState())
        self.actors: dict[str, PolicyEngine | Ledger] = {"policy": engine}
        for number in range(COMPONENTS):
            name = f"component-{number}"
            ledger = Ledger(name, self.tell, self.time, book, DEFAULT, directory)
            self.actors[f"ledger:{name}"] = ledger

    def tell(self, to: str, message: object, call: Call[Any]) -> None:
        self.post.append((to, message, call))

    def ask(self, to: str, message: Any, call: Call[Any]) -> None:
        """Deliver the message, and all that follows from it."""
        self.tell(to, message, call)
        while self.post:
            name, told, asker = self.post.popleft()
            if name == "journal":
                self.write(told, asker)
            else:
                self.actors[name].receive(told, asker)

    def write(self, append: Append, call: Call[Any]) -> None:
        for draft in append.drafts:
            self.seq += 1
            entry = link(self.hash, self.seq, self.time.now_ms(), draft)
            self.hash = entry.hash
            self.batch.entries.append(entry)
            self.batch.changes.add(entry)
            self.outbox.take(entry, self.batch.news)
        if len(self.batch.entries) >= BATCH:
            self.flush()
        call.answer(append.answer)

    def flush(self) -> None:
        write(self.db, self.batch, self.facets)
        self.batch = Batch([], Changes(), [])


def prefilled(
    work: Path, entries: int, rules: Path, progress: Progress, models: Models = ONE_MODEL
) -> Path:
    """A journal of so many entries, made once for these rules and this schema, kept in `work`."""
    made_of = rules.read_text(encoding="utf-8") + "".join(text for _, text in migrations())
    name = (
        f"{entries}-entries-{len(models)}-models-{hashlib.sha256(made_of.encode()).hexdigest()[:8]}"
    )
    path = work / name / DATABASE
    if not path.exists():
        new = path.parent.with_suffix(".new")
        new.mkdir(parents=True, exist_ok=True)
        (new / DATABASE).unlink(missing_ok=True)
        fill(new / DATABASE, entries, rules, progress, models)
        report = verify(new, lambda done, of: progress("verified", done, of))
        assert report.clean, report.problems
        new.rename(path.parent)
    return path


def fill(
    path: Path, entries: int, rules: Path, progress: Progress, models: Models = ONE_MODEL
) -> None:
    """Reserve and settle, a month long until now."""
    db = connect_writer(path)
    db.execute("PRAGMA synchronous = OFF")  # what is torn is made again
    ends_ms = SystemClock().now_ms()
    clock = Past(ends_ms - MONTH_MS)
    house = House(db, clock)
    for seed in changed_seeds(load(rules, environ={}), {}):
        house.ask("policy", seed, NOBODY)
    calls = 0
    while house.seq < entries:
        clock.ms = ends_ms - MONTH_MS + MONTH_MS * house.seq // entries
        spend(house, calls, models)
        calls += 1
        if calls % 1000 == 0:
            house.ask("policy", Sweep(), NOBODY)
            progress("written", house.seq, entries)
    house.flush()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def spend(house: House, number: int, models: Models) -> None:
    """One call: held, then settled. Every component uses every model."""
    call = Asked()
    model = models[number // COMPONENTS % len(models)]
    asked = Reserve(**wanted(number, number // CALLS_IN_A_SESSION) | {"model": model})
    house.ask(f"ledger:{asked.component}", asked, call)
    settle = Settle(reservation_id=call.reply.reservation_id, usage=USAGE)
    house.ask(f"ledger:{asked.component}", settle, call)
