"""The real store, which a test can make fail."""

from pathlib import Path
from typing import Literal, Self

from actors.ports import Batch, StorageFailed
from daemon.journal.store import SqliteStore

Breaking = Literal["before", "after"]
"""The transaction fails with nothing written, or with everything written and nobody told."""


class BrittleStore(SqliteStore):
    """Fails once, under the next batch that carries an answer to be kept for its key."""

    breaks: Breaking | None = None

    @classmethod
    async def open(cls, data_dir: Path) -> Self:
        """Without waiting for the disk: our crashes leave the page cache whole."""
        store = await super().open(data_dir)
        assert isinstance(store, cls)
        await store._writer.run(lambda db: db.execute("PRAGMA synchronous = OFF"))
        return store

    async def append(self, batch: Batch) -> None:
        breaks = self._falls_due() if batch.keys else None
        if breaks == "before":
            raise StorageFailed("the disk broke before the write")
        await super().append(batch)
        if breaks == "after":
            raise StorageFailed("the disk broke after the write")

    def _falls_due(self) -> Breaking | None:
        due, self.breaks = self.breaks, None
        return due
