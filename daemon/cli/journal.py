"""What the verbs on the journal's own files share: where it is, its faults, a line of progress."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from daemon import client
from daemon.cli import units
from daemon.cli.answer import Stop
from daemon.cli.progress import Line, gauge
from daemon.cli.verb import DATA_DIR, Console, Plain

Progress = Callable[[str, int, int], None]
DONE = click.style("✓", fg="green")


class Offline(Plain):
    """Works on the data directory itself, whether a daemon runs or not."""

    where = (DATA_DIR,)


def home_of(console: Console) -> Path:
    return console.where["data_dir"] or client.default_data_dir(os.environ)


def database(console: Console) -> Path:
    name: str = load("files").DATABASE
    return home_of(console) / name


def load(name: str) -> Any:
    """A module of the journal's: none is imported before its verb is asked for."""
    return import_module(f"daemon.journal.{name}")


@contextmanager
def faults() -> Iterator[None]:
    """A fault of the journal ends the verb with the exit code it has."""
    try:
        yield
    except load("faults").JournalFault as fault:
        raise Stop(str(fault), exit_code=fault.exit_code) from None


@contextmanager
def stopped(home: Path) -> Iterator[None]:
    """The journal is ours alone, and nobody else reads it. Raises `Stop` while a daemon has it."""
    os.umask(0o077)
    with faults():
        try:
            with load("files").locked(home):
                yield
        except load("faults").InUse as fault:
            raise Stop(str(fault), "stop it first: `budget down`", exit_code=75) from None


@contextmanager
def watched() -> Iterator[Progress]:
    """What is being done and how far it is, drawn on a terminal."""
    with Line() as line:

        def progress(doing: str, done: int, total: int) -> None:
            share = done / total if total else 1.0
            line.draw(f"{doing} {gauge(share)} {done:,} of {total:,}")

        yield progress


def summary(report: Any) -> dict[str, Any]:
    """Of a verified journal, what a program wants to know."""
    return {"entries": report.entries, "last": str(report.last), "idempotency_keys": report.keys}


def counted(report: Any) -> str:
    return units.count(report.entries, "entries")


def size(path: Path) -> str:
    return f"{path.stat().st_size / 1_000_000:,.1f} MB"
