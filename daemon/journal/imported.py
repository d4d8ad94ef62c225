"""A journal made again from its export: every line is checked, every total is added up anew."""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from actors.alerts.outbox import Outbox, OutboxStart
from actors.journal.chain import canonical, hash_of
from actors.journal.projection import Changes
from actors.ports import Batch, KeptKey
from daemon.journal import anchor
from daemon.journal.anchor import NOTHING, Mark
from daemon.journal.backup import Progress
from daemon.journal.export import FORMAT, VERSION
from daemon.journal.faults import Damaged, Newer, NotWritable
from daemon.journal.files import DATABASE, connect_writer
from daemon.journal.rollups import Facets, completed
from daemon.journal.verify import Report, verify_file
from daemon.journal.write import write
from protocols.journal import Entry

BATCH = 2000


def import_journal(lines: Iterable[str], data_dir: Path, progress: Progress) -> Report:
    """Into a locked data directory without a journal. Raises a `JournalFault`; then none is there.

    The name of the database is given last: a directory never has half a journal.
    """
    there = data_dir / DATABASE
    if there.exists():
        raise NotWritable(f"{there} is there already; name another --data-dir")
    new = data_dir / f"{DATABASE}.imported"
    forget(new)
    try:
        db = connect_writer(new)
        try:
            fill(db, Lines(lines), progress)
        finally:
            db.close()
        report = verify_file(new, lambda done, total: progress("verifying", done, total))
        if not report.clean:
            raise Damaged(f"the import does not verify: {report.problems[0]}")
        new.rename(there)
        anchor.begin(data_dir, report.last)
    finally:
        forget(new)
    return report


def forget(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


class Lines:
    """The lines of an export as what they mean. Raises `Damaged` naming the line."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._number = 0
        self.last = NOTHING
        self.keys = 0
        header = self._read()
        if header.get("format") != FORMAT:
            raise self._wrong("is not the header of an exported journal")
        if header["version"] != VERSION:
            raise Newer(f"the export is of version {header['version']}, we read {VERSION}")
        self.promised = Mark(header["entries"], bytes.fromhex(header["last"]))
        self.promised_keys: int = header["keys"]

    def entries(self) -> Iterator[Entry]:
        while self.last.seq < self.promised.seq:
            try:
                yield self._entry(self._read())
            except (KeyError, TypeError, ValueError) as error:
                raise self._wrong(f"is not an entry: {error!r}") from error
        if self.last != self.promised:
            raise self._wrong("ends in another hash than the header names")

    def records(self) -> Iterator[KeptKey]:
        for _ in range(self.promised_keys):
            line = self._read()
            try:
                key, fingerprint = bytes.fromhex(line["key"]), bytes.fromhex(line["fingerprint"])
                yield KeptKey(key, fingerprint, line["refused"], line["answer"], line["at_ms"])
            except (KeyError, TypeError, ValueError) as error:
                raise self._wrong(f"is not an idempotency record: {error!r}") from error

    def _entry(self, line: dict[str, Any]) -> Entry:
        text = canonical(line["body"])
        head = (line["seq"], line["at_ms"], line["kind"], line["component"], line["subject"])
        digest = bytes.fromhex(line["hash"])
        if line["seq"] != self.last.seq + 1:
            raise self._wrong(f"is entry {line['seq']}, but {self.last.seq + 1} is next")
        if hash_of(self.last.hash, *head, text) != digest:
            raise self._wrong(f"(entry {line['seq']}) does not match its hash: it was changed")
        self.last = Mark(line["seq"], digest)
        return Entry(*head, text, line["body"], digest)

    def _read(self) -> dict[str, Any]:
        self._number += 1
        text = next(self._lines, None)
        if text is None:
            raise self._wrong("is missing: the export ends too early")
        try:
            line = from_json(text)
        except ValueError as error:
            raise self._wrong(f"is not JSON: {error}") from error
        if not isinstance(line, dict):
            raise self._wrong("is not an object")
        return line

    def _wrong(self, what: str) -> Damaged:
        return Damaged(f"line {self._number} {what}")


def fill(db: sqlite3.Connection, lines: Lines, progress: Progress) -> None:
    """In batches, as a daemon would have written them."""
    facets, outbox, batch = Facets(), Outbox(OutboxStart()), Batch([], Changes(), [])
    for entry in lines.entries():
        if len(batch.entries) == BATCH or entry.kind == "corrected":  # it may look its booking up
            write(db, batch, facets)
            progress("importing", entry.seq, lines.promised.seq)
            batch = Batch([], Changes(), [])
        batch.entries.append(entry)
        batch.changes.add(completed(db, entry))
        if entry.kind == "archived":
            batch.changes.facts.pop()  # here its entries lie in the database again
        outbox.take(entry, batch.news)
    batch.keys.extend(lines.records())
    write(db, batch, facets)
