"""A disk in memory under the real store: slow as the seed wants, and it breaks when told to."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Literal

import anyio

from actors.ports import StorageFailed
from daemon.journal.files import DATABASE, connect_writer
from tests.harness.store import BrittleStore

Fault = Literal["before", "after"]


@cache
def empty() -> bytes:
    """An empty journal, made once by the daemon's own migrations."""
    with TemporaryDirectory() as folder:
        with closing(connect_writer(Path(folder) / DATABASE)) as db:
            db.execute("PRAGMA journal_mode = DELETE")
        return (Path(folder) / DATABASE).read_bytes()


class Disk:
    """What survives the process. Reads and writes take a while; a fault ends the process's use."""

    def __init__(self, random: Random) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        self.db.deserialize(empty())
        self.random = random
        self.fault: Fault | None = None
        self.process = 0

    def kill(self) -> None:
        """Whoever still writes belongs to a process that is no more."""
        self.process += 1

    async def run(self, process: int, work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        await anyio.sleep(self.random.expovariate(500))
        self._alive(process)
        fault, self.fault = self.fault, None
        if fault == "before":
            self.kill()
        self._alive(process)
        result = work(self.db, *args)
        if fault == "after":
            self.kill()
        await anyio.sleep(self.random.expovariate(2000))
        self._alive(process)
        return result

    def _alive(self, process: int) -> None:
        if process != self.process:
            raise StorageFailed("the disk is gone")

    @property
    def broken(self) -> bool:
        return self.fault is None


class Wire:
    """The store's connection, for as long as its process lives."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._process = disk.process

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        return await self._disk.run(self._process, work, args)

    async def interrupt(self) -> None:
        """Nothing takes long here."""

    async def close(self) -> None:
        """Nothing to do."""


class NoGuard:
    """There is no file to look after."""

    loss = None

    def wrote(self, seq: int, digest: bytes) -> None:
        """The auditor follows the chain itself."""

    def look(self) -> None:
        """Nobody can remove it."""

    def close(self) -> None:
        """Nothing to do."""


def store(disk: Disk) -> BrittleStore:
    """The real store with all its statements, on this disk."""
    wire: Any = Wire(disk)
    guard: Any = NoGuard()
    return BrittleStore(Path("simulated"), guard, wire, wire, wire, wire)
