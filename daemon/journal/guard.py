"""What is looked after beside the commits: the anchor follows them, the files are still there."""

import logging
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from actors.journal.chain import GENESIS, hash_of
from actors.ports import StorageFailed
from daemon.journal import anchor
from daemon.journal.anchor import Anchor, Mark
from daemon.journal.archive.check import missing_files
from daemon.journal.archive.sealed import sealed
from daemon.journal.faults import Damaged, NotWritable
from daemon.journal.files import DATABASE, connect_writer, fault_of

log = logging.getLogger("budget.journal")

LOOK_EVERY_S = 1.0
LOG_BYTES_LONG = 256 * 1024 * 1024
"""Longer than anything but a reader that stays makes it; said once, and again at each doubling."""
REMEDY = "`budget restore` a backup, or go on with what there is: `budget serve --accept-loss`"
TAIL = 1000
"""So many entries at the end are checked at every start; all of them by `budget verify`."""


class Guard:
    """The writer's connection, and what vouches for its file. Lives on the writer's thread.

    `loss` is what is missing from a journal that was accepted with a loss.
    """

    def __init__(self, data_dir: Path, db: sqlite3.Connection, loss: str | None) -> None:
        self.db = db
        self.loss = loss
        anchor.begin(data_dir, anchor.last_of(db))
        self._files = [data_dir / DATABASE, data_dir / f"{DATABASE}-wal"]
        self._known = [identity(path) for path in self._files]
        self._anchor = Anchor(data_dir)
        self._looked_at = time.monotonic()
        self._long = LOG_BYTES_LONG

    @classmethod
    def open(cls, data_dir: Path, *, accept_loss: bool = False) -> "Guard":
        """Raises a `JournalFault` with its exit code when the file cannot be trusted."""
        gone = missing_file(data_dir)
        if gone is not None and not accept_loss:
            raise Damaged(gone)
        db = connect_writer(data_dir / DATABASE)
        try:
            loss = gone or missing_entries(data_dir, db) or next(missing_files(db), None)
            if loss is None or accept_loss:
                return cls(data_dir, db, loss)
        except sqlite3.Error as error:
            db.close()
            raise fault_of(data_dir / DATABASE, error) from error
        except OSError as error:
            db.close()
            raise NotWritable(f"cannot use {data_dir}: {error.strerror}") from error
        except BaseException:
            db.close()
            raise
        db.close()
        raise Damaged(loss)

    def wrote(self, seq: int, digest: bytes) -> None:
        """Raises `StorageFailed` when what was written lies in a file that nobody will find."""
        self._anchor.move(Mark(seq, digest))
        if time.monotonic() - self._looked_at >= LOOK_EVERY_S:
            self.look()

    def look(self) -> None:
        self._looked_at = time.monotonic()
        self._anchor.sync()
        for path, known in zip(self._files, self._known, strict=True):
            if identity(path) != known:
                raise StorageFailed(f"{path} was removed or replaced while the daemon ran")
        self._tell_of_a_long_log()

    def _tell_of_a_long_log(self) -> None:
        """It is folded back at commits, but for what somebody still reads the state before."""
        size = self._files[1].stat().st_size
        if size > self._long:
            log.warning("the write-ahead log is %d MB: somebody keeps reading", size // 1_000_000)
            self._long = 2 * size
        elif size < LOG_BYTES_LONG:
            self._long = LOG_BYTES_LONG

    def close(self) -> None:
        with suppress(OSError):  # an anchor that is behind raises no false alarm
            self._anchor.close()


def identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def missing_file(data_dir: Path) -> str | None:
    """Say so when there was a journal and now there is none."""
    path = data_dir / DATABASE
    mark = known(data_dir)
    if mark is None or not mark.seq or path.exists():
        return None
    return f"{path} is gone, and {mark.seq} entries with it; {REMEDY}"


def missing_entries(data_dir: Path, db: sqlite3.Connection) -> str | None:
    """Say so when entries were lost or changed since they were written."""
    mark = known(data_dir)
    why = broken_tail(db) or (None if mark is None else anchor.missing(db, mark))
    return None if why is None else f"{data_dir / DATABASE}: {why}; {REMEDY}"


def known(data_dir: Path) -> Mark | None:
    """Without a whole sector there is nothing to compare with: `budget verify` says so."""
    try:
        return anchor.read(data_dir)
    except Damaged:
        return None


def broken_tail(db: sqlite3.Connection) -> str | None:
    """Check the chain of the last entries, since a person last accepted a loss."""
    borders = {one.last_seq + 1: bytes.fromhex(one.hash) for one in sealed(db)}
    before: bytes | None = None
    for *line, digest in tail(db):
        seq, kind = line[0], line[2]
        link = before or (GENESIS if seq == 1 else borders.get(seq))
        if link is not None and kind != "loss_accepted" and hash_of(link, *line) != digest:
            return f"entry {seq} does not match its hash"
        before = digest
    return None


def tail(db: sqlite3.Connection) -> list[tuple[Any, ...]]:
    (since,) = db.execute(
        "SELECT coalesce(max(seq), 0) FROM "
        "(SELECT seq, kind FROM entry ORDER BY seq DESC LIMIT ?) WHERE kind = 'loss_accepted'",
        (TAIL,),
    ).fetchone()
    return db.execute(
        "SELECT seq, at_ms, kind, component, subject, body, hash FROM entry "
        "WHERE seq >= max(?, (SELECT max(seq) FROM entry) - ?) ORDER BY seq",
        (since, TAIL),
    ).fetchall()
