"""A house of its own for the demo: a daemon on a free port, in a directory that goes away."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from daemon.cli.answer import Stop
from daemon.cli.process import start, stop
from daemon.client import Running

RULES = Path(__file__).with_name("budget.toml")


class House(NamedTuple):
    """Where the demo's daemon is, and where it keeps its things."""

    url: str
    path: Path


def _started(path: Path, flags: list[str]) -> Running:
    """Start the daemon; its log is said to be kept only if it is."""
    try:
        return start(path, flags, clean=True)
    except Stop as failed:
        failed.hint = "`budget demo --keep` leaves its log in a directory below TMPDIR"
        raise


@contextmanager
def house(*, keep: bool) -> Iterator[House]:
    """Start a daemon, and stop it whatever happens; its directory stays only with `keep`."""
    path = Path(tempfile.mkdtemp(prefix="budget-demo-"))
    try:
        shutil.copyfile(RULES, path / "budget.toml")
        flags = ["--port", "0", "--data-dir", str(path), "--config", str(path / "budget.toml")]
        there = _started(path, flags)
        try:
            assert there.url is not None, "the demo asks for a TCP port"
            yield House(there.url, path)
        finally:
            stop(there.pid, path)
    finally:
        if not keep:
            shutil.rmtree(path)
