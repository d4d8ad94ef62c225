"""Where months are archived, as the archivist sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from protocols.archive import ArchivedMonth, Doing


@dataclass(slots=True)
class CopyMonth:
    """Copy the oldest month that was over before this moment and is not archived.

    `progress` is called on the copying thread with the month, the entries copied and how many
    there are; setting `stop` ends it early, with nothing done.
    """

    before_ms: int
    progress: Callable[[Doing, str | None, int, int], None]
    stop: bool = False


class Vault(Protocol):
    """The store, as far as the archive goes."""

    async def copy_month(self, ask: CopyMonth) -> dict[str, Any] | None:
        """The body of the `archived` entry that makes the copy count; None: nothing to archive.

        Until that entry is written the copy is nothing, and is written over at the next attempt.
        """
        ...

    async def archived_months(self) -> list[ArchivedMonth]: ...
