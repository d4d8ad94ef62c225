"""The daemon with one promise broken on purpose: `PLANT=name python -m tests.faults.planted serve`.

For tests of the tests: what is meant to find such a fault has to be seen finding it.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from actors.journal import journal
from actors.journal.journal import Journal, Queued
from actors.ports import Batch
from daemon import cli, run
from daemon.journal import files, guard, write


def synchronous_normal() -> None:
    """An answer is given before it is on disk."""
    files.WRITER_PRAGMAS["synchronous"] = 1


def answer_before_commit() -> None:
    """An answer is given before it is written."""

    async def commit(self: Journal, taken: list[Queued]) -> None:
        batch = self.number(taken)
        for one in taken:
            journal.answer(one.call, one.message.answer)  # type: ignore[union-attr]
        if batch.entries or batch.keys:
            await self.store.append(batch)

    Journal.commit = commit  # type: ignore[method-assign]


def keys_apart() -> None:
    """An idempotency record is not in the transaction of its effect."""
    whole = write.write

    def apart(db: sqlite3.Connection, batch: Batch, *rest: Any) -> None:
        whole(db, replace(batch, keys=[]), *rest)
        whole(db, Batch([], type(batch.changes)(), batch.keys), *rest)

    write.write = apart


def no_lock() -> None:
    """A second daemon may have the same directory."""

    @contextmanager
    def unlocked(data_dir: Path) -> Iterator[None]:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        (data_dir / files.LOCK).touch()
        yield

    run.locked = unlocked


def errors_ignored() -> None:
    """A commit that failed is answered as if it had not."""
    whole = write.write

    def ignoring(db: sqlite3.Connection, batch: Batch, *rest: Any) -> None:
        try:
            whole(db, batch, *rest)
        except sqlite3.Error:
            return

    write.write = ignoring


def no_anchor() -> None:
    """Nobody looks whether the end of the journal is missing."""
    guard.missing_entries = lambda *_: None


PLANTS: list[Callable[[], None]] = [
    synchronous_normal, answer_before_commit, keys_apart, no_lock, errors_ignored, no_anchor,
]  # fmt: skip

if __name__ == "__main__":
    next(plant for plant in PLANTS if plant.__name__ == os.environ["PLANT"])()
    cli.main()
