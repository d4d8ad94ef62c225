"""A house of its own for the demo: a daemon on a free port, in a directory that goes away."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from daemon.cli.process import start, stop

RULES = Path(__file__).with_name("budget.toml")


class House(NamedTuple):
    """Where the demo's daemon is, and where it keeps its things."""

    url: str
    path: Path


@contextmanager
def house(*, keep: bool) -> Iterator[House]:
    """Start a daemon, and stop it whatever happens; its directory stays only with `keep`."""
    path = Path(tempfile.mkdtemp(prefix="budget-demo-"))
    try:
        shutil.copyfile(RULES, path / "budget.toml")
        flags = ["--port", "0", "--data-dir", str(path), "--config", str(path / "budget.toml")]
        there = start(path, flags, clean=True)
        try:
            assert there.url is not None, "the demo asks for a TCP port"
            yield House(there.url, path)
        finally:
            stop(there.pid, path)
    finally:
        if not keep:
            shutil.rmtree(path)
