"""The anchor: number and hash of the last entry, kept in a file beside the database.

A database that lost its end, or was replaced by an older copy, is sound in itself; only something
outside of it can tell. Two sectors are written in turn, so that a torn write leaves one whole. They
are written after each commit and pushed to the disk at most once a second: after a power loss the
anchor may be behind the database, never ahead of it.
"""

import hashlib
import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from actors.journal.chain import GENESIS
from daemon.journal.archive.walk import entry_at
from daemon.journal.faults import Damaged

ANCHOR = "anchor"
SECTOR_BYTES = 512
SLOTS = 2
LAST = "SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1"


class Mark(NamedTuple):
    """An entry that was there."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


NOTHING = Mark(0, GENESIS)


def parse(text: str) -> Mark:
    """Read what `str(mark)` wrote. Raises ValueError."""
    seq, _, digest = text.strip().partition(":")
    mark = Mark(int(seq), bytes.fromhex(digest))
    if mark.seq < 0 or len(mark.hash) != len(GENESIS):
        raise ValueError(text)
    return mark


def last_of(db: sqlite3.Connection) -> Mark:
    row = db.execute(LAST).fetchone()
    return NOTHING if row is None else Mark(*row)


def missing(db: sqlite3.Connection, mark: Mark) -> str | None:
    """Why this cannot be the journal that had the marked entry; None if it can."""
    if mark.seq == 0:
        return None
    last = last_of(db)
    if last.seq < mark.seq:
        return f"it ends with entry {last.seq}, but entry {mark.seq} was written"
    found = entry_at(db, mark.seq)
    if found is None or found[6] != mark.hash:
        return f"its entry {mark.seq} is another than the one that was written"
    return None


def read(data_dir: Path) -> Mark | None:
    """The newest sector that is whole; None without a file. Raises `Damaged` if none is."""
    path = data_dir / ANCHOR
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    sectors = [content[at * SECTOR_BYTES :][:SECTOR_BYTES] for at in range(SLOTS)]
    whole = [mark for sector in sectors if (mark := _of_sector(sector)) is not None]
    if not whole:
        raise Damaged(f"{path} cannot be read: neither of its sectors is whole")
    return max(whole)


def _sector(mark: Mark) -> bytes:
    text = str(mark).encode()
    check = hashlib.sha256(text).hexdigest()[:16].encode()
    return (text + b" " + check).ljust(SECTOR_BYTES - 1) + b"\n"


def _of_sector(sector: bytes) -> Mark | None:
    text = sector.partition(b" ")[0]
    try:
        mark = parse(text.decode())
    except ValueError:
        return None
    return mark if _sector(mark) == sector else None


def begin(data_dir: Path, mark: Mark) -> None:
    """Put this in place of whatever was there, durably."""
    path = data_dir / ANCHOR
    new = path.with_suffix(".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, _sector(mark) * SLOTS)
        os.fsync(handle)
    finally:
        os.close(handle)
    new.replace(path)
    sync_directory(data_dir)


def sync_directory(path: Path) -> None:
    """Make names that were given in it last."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Anchor:
    """The file while the daemon writes."""

    def __init__(self, data_dir: Path) -> None:
        self._handle = os.open(data_dir / ANCHOR, os.O_WRONLY)
        self._slot = 0

    def move(self, mark: Mark) -> None:
        self._slot = (self._slot + 1) % SLOTS
        os.pwrite(self._handle, _sector(mark), self._slot * SECTOR_BYTES)

    def sync(self) -> None:
        os.fdatasync(self._handle)

    def close(self) -> None:
        self.sync()
        os.close(self._handle)
