"""Archive every closed month of a directory, and end: `python -m tests.faults.archiving HOME`."""

import sys
from pathlib import Path

import anyio

from actors.supervision import Roster
from daemon.clock import SystemClock
from daemon.journal.store import SqliteStore
from protocols.archive import ArchiveMonths, ShowArchive
from protocols.message import DAEMON
from tests.harness.house import alive
from tests.properties.book import book


async def main(home: Path) -> None:
    """The real store, with its writes and syncs as they are, under the real actors."""
    store = await SqliteStore.open(home)
    try:
        async with alive(store, SystemClock(), book(), Roster()) as house:
            shown = await house.ask("archive", ArchiveMonths(after_months=0), DAEMON)
            while shown.status == "working":
                shown = await house.ask("archive", ShowArchive(wait_s=5), DAEMON)
            assert shown.failed is None, shown.failed
    finally:
        await store.close()


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]))
