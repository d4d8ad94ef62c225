r"""The whole journal as lines of JSON: a header, every entry, every idempotency record.

A line of an entry is what was hashed, so that whoever has the file can follow the chain:
sha256 over the hash before it and `seq\nat_ms\nkind\ncomponent\nsubject\nbody`, as they stand.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from daemon.journal import anchor
from daemon.journal.anchor import Mark
from daemon.journal.archive.walk import walk
from daemon.journal.backup import Progress
from daemon.journal.faults import Damaged
from daemon.journal.files import connect_reader

FORMAT = "tekton-budget-journal"
VERSION = 1
STEP = 5000
KEYS = "SELECT key, fingerprint, refused, answer, at_ms FROM idempotency ORDER BY id"


def export(source: Path, out: TextIO, progress: Progress) -> tuple[Mark, int]:
    """Write one moment of the journal; its last entry and the number of idempotency records."""
    if not source.exists():
        raise Damaged(f"there is no journal at {source}")
    db = connect_reader(source)
    try:
        db.execute("BEGIN")
        last = anchor.last_of(db)
        (keys,) = db.execute("SELECT count(*) FROM idempotency").fetchone()
        for done, line in enumerate(lines(db, last, keys)):
            out.write(line + "\n")
            if done % STEP == 0:
                progress("exporting", done, last.seq + keys)
    except sqlite3.DatabaseError as error:
        raise Damaged(f"{source} cannot be read: {error}") from error
    finally:
        db.close()
    return last, keys


def lines(db: sqlite3.Connection, last: Mark, keys: int) -> Iterator[str]:
    yield json.dumps(
        {"format": FORMAT, "version": VERSION, "entries": last.seq, "keys": keys,
         "last": last.hash.hex()}
    )  # fmt: skip
    for seq, at_ms, kind, component, subject, body, digest in walk(db, last=last.seq):
        head = json.dumps(
            {"seq": seq, "at_ms": at_ms, "kind": kind, "component": component, "subject": subject},
            ensure_ascii=False,
        )
        yield f'{head[:-1]}, "body": {body}, "hash": "{digest.hex()}"}}'
    for key, fingerprint, refused, answer, at_ms in db.execute(KEYS):
        yield json.dumps(
            {"key": key.hex(), "fingerprint": fingerprint.hex(), "refused": bool(refused),
             "answer": answer, "at_ms": at_ms}, ensure_ascii=False,
        )  # fmt: skip
