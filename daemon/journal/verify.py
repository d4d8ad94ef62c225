"""`budget verify`: everything is added up again from the entries and compared.

Chain unbroken, numbers gapless, time never back; every cost worked out again from its usage and
price version; entries = roll-ups = windows = holds = policies. It reads one moment of the
journal, so it may run beside a living daemon.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from actors.journal.chain import GENESIS, hash_of
from actors.journal.facet import WIDTHS_MS, RollupKey, policies_text
from actors.journal.facts import Fact
from actors.journal.projection import SUMS, Changes, add
from daemon.journal import anchor
from daemon.journal.anchor import Mark
from daemon.journal.archive.check import changed_files
from daemon.journal.archive.sealed import sealed
from daemon.journal.archive.walk import walk
from daemon.journal.check_keys import check_keys
from daemon.journal.faults import Damaged
from daemon.journal.files import DATABASE, check_schema, connect_reader
from daemon.journal.rollups import FACET, completed
from daemon.journal.verify_holds import HoldTruth
from daemon.journal.verify_outbox import OutboxTruth
from protocols.costing import cost
from protocols.debug import log_function
from protocols.errors import BudgetError
from protocols.journal import BOOKINGS, Entry
from protocols.money import round_half_even, show_usd
from protocols.prices import PriceVersion
from protocols.prices.kept import from_body
from protocols.usage import normalise

PROBLEMS_MAX = 100
FACT_TABLES = (
    "ledger", "price", "policy", "budget", "seed", "price_known", "price_note", "provisional",
    "token", "proposal", "membership", "crossing", "imported",
)  # fmt: skip
KEYED = 2 + len(FACET)
ROLLUPS = (
    f"SELECT width_ms, starts_ms, {', '.join(FACET)}, {', '.join(SUMS)} "  # noqa: S608
    "FROM rollup LEFT JOIN facet ON facet.id = rollup.facet"
)
Progress = Callable[[int, int], None]
STEP = 5000
"""Entries between two reports of progress."""


@dataclass(slots=True)
class Report:
    """What was looked at and what does not agree."""

    entries: int = 0
    bookings: int = 0
    holds: int = 0
    windows: int = 0
    rollups: int = 0
    keys: int = 0
    booked_usd: int = 0
    last: Mark = anchor.NOTHING
    problems: list[str] = field(default_factory=list)

    def say(self, problem: str) -> None:
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(problem)

    @property
    def clean(self) -> bool:
        return not self.problems


@log_function()
def verify(
    data_dir: Path, progress: Progress = lambda _a, _b: None, expected: Mark | None = None
) -> Report:
    """Check a journal, living or stopped. Raises `Damaged` when it cannot be read at all.

    `expected` is an entry that somebody noted elsewhere.
    """
    path = data_dir / DATABASE
    if not path.exists():
        raise Damaged(f"there is no journal in {data_dir}")
    anchored = anchor.read(data_dir)  # before the journal, which can only have grown since
    return verify_file(path, progress, [mark for mark in (anchored, expected) if mark])


def verify_file(
    path: Path, progress: Progress = lambda _a, _b: None, marks: Iterable[Mark] = ()
) -> Report:
    """Check one file: a journal or a backup of one. `marks` are entries it must have."""
    report = Report()
    try:
        db = connect_reader(path)
    except sqlite3.Error as error:
        raise Damaged(f"{path} cannot be read: {error}") from error
    try:
        check_schema(db, path)
        for (found,) in db.execute("PRAGMA quick_check(20)"):
            if found != "ok":
                report.say(f"SQLite: {found}")
        for problem in changed_files(db):
            report.say(problem)
        truth, outbox = Truth(report), OutboxTruth(db)
        for entry in entries(db, report, progress):
            truth.add(completed(db, entry))
            outbox.add(entry)
        truth.compare(db)
        outbox.compare(db, report.say)
        report.keys = check_keys(db, truth.holds, report.say)
        report.last = anchor.last_of(db)
        for mark in marks:
            if (why := anchor.missing(db, mark)) is not None:
                report.say(f"anchor: {why}")
    except sqlite3.DatabaseError as error:
        raise Damaged(f"{path} cannot be read: {error}; restore a backup") from error
    finally:
        db.close()
    return report


def entries(db: sqlite3.Connection, report: Report, progress: Progress) -> Iterator[Entry]:
    """Each entry in order, its place in the chain checked."""
    total = anchor.last_of(db).seq
    before, last_seq, last_ms = GENESIS, 0, 0
    for seq, at_ms, kind, component, subject, text, digest in up_to_now(db, total):
        if seq != last_seq + 1:
            report.say(f"entry {last_seq + 1} is missing: {seq} follows {last_seq}")
        if at_ms < last_ms:
            report.say(f"entry {seq} is dated before its predecessor")
        if hash_of(before, seq, at_ms, kind, component, subject, text) != digest:
            report.say(f"entry {seq} does not match its hash: it or one before it was changed")
        before, last_seq, last_ms = digest, seq, at_ms
        report.entries += 1
        if report.entries % STEP == 0:
            progress(report.entries, total)
        yield Entry(seq, at_ms, kind, component, subject, text, from_json(text), digest)
    progress(total, total)


def up_to_now(db: sqlite3.Connection, last: int) -> Iterator[tuple[Any, ...]]:
    """Entries never change, so only what came meanwhile has to be of one moment with the tables:
    a snapshot that is kept for long keeps the log from being folded back.
    """
    yield from walk(db, last=last)
    db.execute("BEGIN")
    yield from walk(db, last + 1)


class Truth:
    """The tables as the entries say they must be."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.rollups: dict[tuple[Any, ...], list[int]] = {}
        self.windows: dict[int, list[int]] = {}
        self.holds = HoldTruth(report.say)
        self.facts: dict[tuple[str, str | int], tuple[Any, ...]] = {}
        self.prices: dict[str, PriceVersion] = {}
        self.provisional: dict[int, int] = {}
        """Bookings that wait for a price: entry → nano-dollars."""

    def add(self, entry: Entry) -> None:
        changes = Changes()
        try:
            changes.add(entry)
        except (KeyError, ValueError, TypeError) as error:
            self.report.say(f"entry {entry.seq} ({entry.kind}) cannot be understood: {error!r}")
            return
        for fact in changes.facts:
            self._put(fact)
        for opened in changes.opened:
            self.holds.open(opened)
        for moved in changes.moved:
            self.holds.move(entry, moved)
        for key, sums in changes.rollups.items():
            self._roll_up(key, sums)
        for number, used in changes.windows.items():
            add(self.windows.setdefault(number, [0, 0, 0]), used)
        if entry.kind in BOOKINGS:
            self._check_cost(entry)
        elif entry.kind == "corrected":
            self._check_correction(entry)

    def _put(self, fact: Fact) -> None:
        if fact.row is None:
            self.facts.pop((fact.table, fact.key), None)
            return
        if fact.table == "price":
            version = str(fact.key)
            self.prices.setdefault(version, from_body(version, fact.row[1]))
            self.facts.setdefault((fact.table, fact.key), fact.row)
            return
        self.facts[fact.table, fact.key] = fact.row

    def _roll_up(self, key: RollupKey, sums: list[int]) -> None:
        """The row of each width, its windows replaced by the names of their policies."""
        starts_ms, facet = key
        opened = [self.facts.get(("window", window)) for window in facet.windows]
        names = {row[1] for row in opened if row is not None}
        row = (*facet[:-2], policies_text(names) or facet.refused_by)
        for width in WIDTHS_MS:
            at = (width, starts_ms - starts_ms % width, *row)
            add(self.rollups.setdefault(at, [0] * len(SUMS)), sums)

    def _check_cost(self, entry: Entry) -> None:
        """Work the cost out again: the same to the last nano-dollar."""
        body = entry.body
        self.report.bookings += 1
        self.report.booked_usd += body["usd"]
        if body.get("provisional"):
            self.provisional[entry.seq] = body["usd"]
        version = self.prices.get(body["price_version"])
        if version is None:
            self.report.say(f"entry {entry.seq} names price {body['price_version']}, never kept")
            return
        if not body.get("at_hold") and not body["estimated"]:
            self._same_cost(entry, body["usd"], version)

    def _check_correction(self, entry: Entry) -> None:
        """A provisional booking and its one correction make the real price together."""
        body = entry.body
        self.report.booked_usd += body["usd"]
        before = self.provisional.pop(body["of"], None)
        version = self.prices.get(body["price_version"])
        if before is None or version is None:
            what = f"{body['of']}, which waits for no price" if before is None else "no kept price"
            self.report.say(f"entry {entry.seq} corrects {what}")
        elif not body["estimated"]:
            self._same_cost(entry, before + body["usd"], version)

    def _same_cost(self, entry: Entry, booked: int, version: PriceVersion) -> None:
        at_ms = entry.body.get("priced_at_ms")
        at = None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)
        try:
            again = round_half_even(cost(normalise(entry.body["usage"]), version, at=at).exact_usd)
        except BudgetError as error:
            self.report.say(f"entry {entry.seq} cannot be priced again: {error}")
            return
        if again != booked:
            told, found = show_usd(booked), show_usd(again)
            self.report.say(f"entry {entry.seq} booked {told} USD, its usage costs {found} USD")

    def compare(self, db: sqlite3.Connection) -> None:
        """Every table against what the entries add up to."""
        report = self.report
        rollups = {row[:KEYED]: list(row[KEYED:]) for row in db.execute(ROLLUPS)}
        self._same("roll-up", self.rollups, rollups)
        windows = {
            row[0]: list(row[1:]) for row in db.execute("SELECT id, usd, tokens, calls FROM window")
        }
        opened = {key: [0, 0, 0] for table, key in self.facts if table == "window"}
        self._same("window", opened | self.windows, windows)
        self.holds.compare(db)
        for table in FACT_TABLES:
            self._same_facts(db, table)
        for row in sealed(db):
            if self.facts.get(("archive", row.month)) != row:
                report.say(f"archive {row.month}: no entry tells of it as the table has it")
        report.rollups, report.windows = len(rollups), len(windows)
        report.holds = self.holds.count

    def _same(self, name: str, told: dict[Any, Any], found: dict[Any, Any]) -> None:
        for key in told.keys() | found.keys():
            if told.get(key) != found.get(key):
                self.report.say(
                    f"{name} {key}: entries add up to {told.get(key)}, the table has "
                    f"{found.get(key)}"
                )

    def _same_facts(self, db: sqlite3.Connection, table: str) -> None:
        told = {key: plain(row) for (name, key), row in self.facts.items() if name == table}
        rows = db.execute(f"SELECT * FROM {table}")  # noqa: S608  # a literal name
        self._same(table, told, {row[0]: list(row) for row in rows})


def plain(row: tuple[Any, ...]) -> list[Any]:
    return [to_json(value).decode() if isinstance(value, dict) else value for value in row]
