"""The data directory: its lock, its database, its schema."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from daemon.journal import rollups
from daemon.journal.faults import (
    BadSettings,
    Damaged,
    InUse,
    JournalFault,
    Newer,
    NotWritable,
    Older,
)

DATABASE = "journal.sqlite"
LOCK = "lock"
APPLICATION_ID = 0x74_6B_62_31
"""Marks the file as ours."""

INCREMENTAL = 2
"""Of `auto_vacuum`: free pages leave the file a few at a time, when told to."""

REBUILDS: dict[int, Callable[[sqlite3.Connection], None]] = {4: rollups.rebuild}
"""Migrations that fill a table anew from the entries."""

WRITER_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: an answer is on disk before it is given
    "foreign_keys": 1,
    "trusted_schema": 0,
    "busy_timeout": 2000,
    "journal_size_limit": 64 * 1024 * 1024,
    "cell_size_check": 1,
}


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold the data directory while the daemon lives. Raises `InUse` naming the holder.

    `flock` and not a pid file: the lock of a killed daemon is gone with it.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise NotWritable(f"cannot use {data_dir}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
            raise InUse(f"{data_dir} is in use by the daemon with pid {holder}") from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def connect_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes, with the settings that durability rests on read back."""
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise fault_of(path, error) from error
    try:
        settle_in(db)
        migrate(db, path)
        db.executescript("BEGIN IMMEDIATE; CREATE TABLE trial (x); ROLLBACK;")  # may it be written?
    except sqlite3.Error as error:
        db.close()
        raise fault_of(path, error) from error
    except BaseException:
        db.close()
        raise
    return db


def fault_of(path: Path, error: sqlite3.Error) -> JournalFault:
    """What is wrong: the rights to the file, who else has it, the disk, or what is in it."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return NotWritable(f"cannot write {path}: {error}")
        case sqlite3.SQLITE_BUSY:
            return InUse(f"{path} is held by another program: {error}")
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_FULL:
            return JournalFault(f"cannot use {path}: {error}")
        case _:
            return Damaged(f"{path} is not a journal: {error}; restore a backup")


def settle_in(db: sqlite3.Connection) -> None:
    """Make the settings and read them back. Raises `BadSettings`."""
    for name, value in WRITER_PRAGMAS.items():
        db.execute(f"PRAGMA {name} = {value}")
        (found,) = db.execute(f"PRAGMA {name}").fetchone()
        if found != value:
            raise BadSettings(f"SQLite keeps {name} = {found}, the journal needs {value}")


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None,
        check_same_thread=False,
    )  # fmt: skip
    db.execute("PRAGMA query_only = 1")
    db.execute("PRAGMA busy_timeout = 2000")
    return db


def migrations() -> list[tuple[int, str]]:
    """Number and text of each migration the package carries, in order."""
    folder = resources.files("daemon.journal") / "migrations"
    texts = [(int(f.name[:4]), f.read_text()) for f in folder.iterdir() if f.name.endswith(".sql")]
    return sorted(texts)


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to date, each step in one transaction, after a backup."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (owner,) = db.execute("PRAGMA application_id").fetchone()
    tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if tables and owner != APPLICATION_ID:
        raise Damaged(f"{path} is a database, but not a journal of ours; name another data_dir")
    known = migrations()
    newest = known[-1][0]
    if version > newest:
        raise Newer(f"{path} has schema {version}, this version knows {newest}; upgrade")
    if 0 < version < newest:
        back_up(db, path.with_name(f"{path.name}.schema-{version:04d}"))
    if version < newest:
        give_room_back(db)
    for number, text in known:
        if number > version:
            step(db, number, text)


def give_room_back(db: sqlite3.Connection) -> None:
    """What is taken out later can leave the file in small steps; an older one is written anew."""
    if db.execute("PRAGMA auto_vacuum").fetchone() != (INCREMENTAL,):
        db.execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")
        db.execute("VACUUM")


def step(db: sqlite3.Connection, number: int, text: str) -> None:
    """One migration, in one transaction: its script, and what it has to add up again."""
    db.executescript(f"BEGIN IMMEDIATE; {text}; PRAGMA application_id = {APPLICATION_ID};")
    try:
        if number in REBUILDS:
            REBUILDS[number](db)
        db.execute(f"PRAGMA user_version = {number}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def check_schema(db: sqlite3.Connection, path: Path) -> None:
    """Raises `Newer` or `Older` for what another version wrote."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    newest = migrations()[-1][0]
    if version > newest:
        raise Newer(f"{path} has schema {version}, this version knows {newest}; upgrade")
    if 0 < version < newest:
        raise Older(f"{path} has schema {version}, this version {newest}; `budget migrate` it")


def back_up(db: sqlite3.Connection, to: Path) -> None:
    """A whole copy by SQLite's own means, never a copy of the file."""
    target = sqlite3.connect(to)
    try:
        db.backup(target)
    finally:
        target.close()
