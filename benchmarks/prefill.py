"""A long history, fast: `python -m benchmarks.prefill --calls 10000000`.

A month of calls through the house's own actors, without loop or door. Ledgers and policy engine get
their messages from a plain queue and see a clock that runs through the month. Of calls that differ
in nothing but their moment only the first goes that way; the others are written as it was, each
with its own id, time and turn. All are numbered, chained and added up by the house's own functions,
and stored in large transactions. A journal is used only if it is true: `verify` adds it all up
again, and where that would take too long, its sums and the end of its chain are looked at.
"""

import hashlib
import sqlite3
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import click

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
from benchmarks.machine import progress
from benchmarks.rules import RULES
from daemon.clock import SystemClock
from daemon.config.load import load
from daemon.journal.files import DATABASE, connect_writer
from daemon.journal.guard import broken_tail
from daemon.journal.rollups import Facets
from daemon.journal.seeds import changed_seeds
from daemon.journal.verify import verify
from daemon.journal.write import write
from daemon.prices import load_book
from protocols.errors import BudgetError
from protocols.journal import Append, Draft
from protocols.ledger import Reserve, Settle
from protocols.message import Call, Caller
from protocols.names import RESERVATION, hold_id, ledger_of
from protocols.tiers import DEFAULT

MONTH_MS = 30 * 24 * 3_600_000
SLOT_MS = 5 * 60_000
"""Inside of five minutes by the clock no window of our rules begins or ends."""
CALLS_IN_A_SESSION = 50
BATCH = 20_000
TIMERS = 1_000
"""How much slower than the month they pass."""
VERIFIED_MAX = 2_000_000
"""Calls that `verify` adds up again in minutes and in a few gigabytes; more are only looked at."""
WORK = Path(tempfile.gettempdir()) / "tekton-budget-benchmarks"
OPEN_MAX = 1_000_000
"""Holds of one component that may be open: more than are made."""

Progress = Callable[[str, int, int], None]
Models = Sequence[str]
ONE_MODEL: Models = ("gpt-4o-mini",)
SUMS = """
WITH day AS (SELECT sum(calls) AS calls, sum(usd) AS usd FROM rollup WHERE width_ms = 86400000),
     counted AS (SELECT sum(calls) AS calls, sum(usd) AS usd FROM window WHERE policy = :policy),
     spent AS (SELECT count(*) AS calls, sum(spent_usd) AS usd FROM hold WHERE status = 'settled')
SELECT day.calls, counted.calls, spent.calls, day.usd = counted.usd AND day.usd = spent.usd,
       (SELECT count(*) = max(seq) FROM entry)
FROM day, counted, spent
"""


class Past:
    """A clock that is set by hand. Timers run slowly, or they would run all the time."""

    def __init__(self, ms: int) -> None:
        self.ms = ms

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000 / TIMERS


class Asked:
    """A call that keeps its answer."""

    caller = Caller("benchmark", "admin")
    reply: Any = None

    def answer(self, reply: object) -> None:
        self.reply = reply

    def refuse(self, error: BudgetError) -> None:
        raise error


class Spent(NamedTuple):
    """What one call wrote down: that it was held, for how long at most, that it was settled."""

    ledger: int
    held: Draft
    lasts_ms: int
    settled: Draft


class House:
    """Policy engine, ledgers and a journal that is written now and then."""

    def __init__(self, db: sqlite3.Connection, clock: Past) -> None:
        self.db = db
        self.time = LedgerTime(clock)
        self.seq, self.hash = 0, GENESIS
        self.facets = Facets()
        self.outbox = Outbox(OutboxStart())
        self.last = Draft("", "", "", {})
        """What was written down last."""
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
            self.note(draft)
        call.answer(append.answer)

    def note(self, draft: Draft) -> None:
        """Number it, chain it, add it up."""
        self.last = draft
        self.seq += 1
        entry = link(self.hash, self.seq, self.time.now_ms(), draft)
        self.hash = entry.hash
        self.batch.entries.append(entry)
        self.batch.changes.add(entry)
        self.outbox.take(entry, self.batch.news)
        if len(self.batch.entries) >= BATCH:
            self.flush()

    def turn(self) -> int:
        """The place of one more decision."""
        engine = self.actors["policy"]
        assert isinstance(engine, PolicyEngine)
        return engine.world.turn()

    def flush(self) -> None:
        write(self.db, self.batch, self.facets)
        self.batch = Batch([], Changes(), [])


def place(work: Path, calls: int, rules: Path = RULES, models: Models = ONE_MODEL) -> Path:
    """Where the journal of so many calls under these rules is kept, made or not."""
    digest = hashlib.sha256(rules.read_bytes()).hexdigest()[:8]
    return work / f"{calls}-calls-{len(models)}-models-{digest}" / DATABASE


def prefilled(
    work: Path, calls: int, rules: Path = RULES, models: Models = ONE_MODEL,
    progress: Progress = progress,
) -> Path:  # fmt: skip
    """A journal of so many settled calls, made once for these rules and kept in `work`."""
    path = place(work, calls, rules, models)
    if not path.exists():
        new = path.parent.with_suffix(".new")
        new.mkdir(parents=True, exist_ok=True)
        (new / DATABASE).unlink(missing_ok=True)
        fill(new / DATABASE, calls, rules, progress, models)
        check(new, calls, progress)
        new.rename(path.parent)
    connect_writer(path).close()  # an older schema is brought up to date, as a start would
    for copy in path.parent.glob(f"{DATABASE}.schema-*"):
        copy.unlink()
    return path


def fill(path: Path, calls: int, rules: Path, progress: Progress, models: Models) -> None:
    """Reserve and settle, a month long until now."""
    db = connect_writer(path)
    db.execute("PRAGMA synchronous = OFF")  # what is torn is made again
    begins_ms = SystemClock().now_ms() - MONTH_MS
    clock = Past(begins_ms)
    house = House(db, clock)
    for seed in changed_seeds(load(rules, environ={}), {}):
        house.ask("policy", seed, NOBODY)
    spent, alike = None, None
    for number in range(calls):
        clock.ms = begins_ms + MONTH_MS * number // calls
        kind = (number // CALLS_IN_A_SESSION, clock.ms // SLOT_MS)
        if spent is None or kind != alike:
            spent, alike = spend(house, kind[0], models), kind
        else:
            repeat(house, spent)
        if number % 1000 == 999:
            house.ask("policy", Sweep(), NOBODY)
            progress("calls written", number + 1, calls)
    house.flush()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def spend(house: House, session: int, models: Models) -> Spent:
    """One call: held, then settled. Every component uses every model."""
    call = Asked()
    model = models[session // COMPONENTS % len(models)]
    asked = Reserve(**wanted(session, session) | {"model": model})
    house.ask(f"ledger:{asked.component}", asked, call)
    held, hold = house.last, call.reply.reservation_id
    house.ask(f"ledger:{asked.component}", Settle(reservation_id=hold, usage=USAGE), call)
    lasts_ms = held.body["expires_ms"] - house.time.now_ms()
    return Spent(ledger_of(hold), held, lasts_ms, house.last)


def repeat(house: House, spent: Spent) -> None:
    """The same call at another moment."""
    now_ms = house.time.now_ms()
    hold = hold_id(RESERVATION, now_ms, spent.ledger)
    held = spent.held.body | {"turn": house.turn(), "expires_ms": now_ms + spent.lasts_ms}
    house.note(Draft("held", spent.held.component, hold, held))
    settled = spent.settled.body | {"turn": house.turn()}
    house.note(Draft("settled", spent.settled.component, hold, settled))


def check(home: Path, calls: int, progress: Progress) -> None:
    """Nothing is measured with a journal that is not true."""
    if calls <= VERIFIED_MAX:
        report = verify(home, lambda done, of: progress("entries verified", done, of))
        assert report.clean, report.problems
        return
    with closing(connect_writer(home / DATABASE)) as db:
        assert (why := broken_tail(db)) is None, why
        found = db.execute(SUMS, {"policy": "house-daily"}).fetchone()
    assert found == (calls, calls, calls, 1, 1), f"of {calls} calls it says {found}"


@click.command()
@click.option("--calls", type=int, default=10_000_000, show_default=True)
@click.option("--work-dir", type=Path, default=WORK, show_default=True, help="Where it is kept.")
def main(*, calls: int, work_dir: Path) -> None:
    """Make a journal of so many settled calls, for `python -m benchmarks` to find."""
    began = time.monotonic()
    path = prefilled(work_dir, calls)
    size_gb = path.stat().st_size / 1e9
    took_s = time.monotonic() - began
    print(f"{calls:,} calls, {size_gb:.1f} GB, in {took_s:,.0f} s: {path.parent}", file=sys.stderr)


if __name__ == "__main__":
    main()
