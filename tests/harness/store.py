"""The real store, which a test can make fail."""

from typing import Literal

from actors.ports import Batch, StorageFailed
from daemon.journal.store import SqliteStore

Breaking = Literal["before", "after"]
"""The transaction fails with nothing written, or with everything written and nobody told."""


class BrittleStore(SqliteStore):
    """Fails once, under the next answer that is kept for its key."""

    breaks: Breaking | None = None

    async def append(self, batch: Batch) -> None:
        breaks = self.breaks if batch.keys else None
        if breaks:
            self.breaks = None
        if breaks == "before":
            raise StorageFailed("the disk broke before the write")
        await super().append(batch)
        if breaks == "after":
            raise StorageFailed("the disk broke after the write")
