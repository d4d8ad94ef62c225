"""Bookings that could not be delivered, kept on disk until they can be.

Each is one file, whole or absent, with the key under which it is never booked twice. Several
processes may share a directory: whoever delivers holds its lock.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tekton_budget.ask import Ask
from tekton_budget.errors import BudgetError, Unavailable
from tekton_budget.find import xdg
from tekton_budget.item import item
from tekton_budget.replies import Booked

REFUSED = "refused"


def default_directory() -> Path:
    return xdg(os.environ, "STATE", ".local/state") / "queue"


class Spool:
    """A directory of bookings on their way, oldest first."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.waiting = any(self._files())
        """Whether there may be something to deliver; another process may have added more."""

    def put(self, ask: Ask[Booked]) -> None:
        """Keep a booking. On disk when this returns. Raises `Unavailable` when it cannot be."""
        assert ask.key is not None
        kept = json.dumps(asdict(ask) | {"reply": "Booked"})
        name = f"{time.time_ns():020d}-{ask.key}"
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = self.directory / f"{name}.new"
            with new.open("x", encoding="utf-8") as file:
                file.write(kept)
                file.flush()
                os.fsync(file.fileno())
            new.rename(self.directory / f"{name}.json")
            _sync(self.directory)
        except OSError as problem:
            raise Unavailable(
                f"a booking could neither be delivered nor kept: {problem}",
                hint=f"make room in {self.directory}; what was not kept: {kept}",
                outcome="not-applied",
            ) from None
        self.waiting = True

    def _files(self) -> list[Path]:
        try:
            return sorted(self.directory.glob("*.json"))
        except OSError:
            return []

    def __len__(self) -> int:
        return len(self._files())

    @contextmanager
    def taken(self) -> Iterator[list[Path]]:
        """The files to deliver, the oldest first, for nobody else meanwhile; none if others do."""
        if not self.directory.is_dir():
            yield []
            return
        with (self.directory / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield []
                return
            yield self._files()
            self.waiting = any(self._files())

    def refuse(self, path: Path, error: BudgetError) -> None:
        """The daemon will never take it: set it aside with the reason, for a person."""
        aside = self.directory / REFUSED
        aside.mkdir(mode=0o700, exist_ok=True)
        booking: Any = path.read_text(encoding="utf-8", errors="replace")
        with suppress(ValueError):
            booking = json.loads(booking)
        told = {"code": error.code, "detail": error.detail, "booking": booking}
        (aside / path.name).write_text(json.dumps(told, indent=2), encoding="utf-8")
        path.unlink()


def restore(path: Path) -> Ask[Booked]:
    """The booking of a file. Raises ValueError for what is none."""
    kept: Any = json.loads(path.read_text(encoding="utf-8"))
    try:
        ask = Ask(kept["method"], kept["target"], kept["fields"], Booked, kept["key"])
        told = item(ask)
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"it is no booking: {problem!r}") from None
    if told is None:
        raise ValueError(f"nothing is booked by {ask.method} {ask.target}")
    return ask


def _sync(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
