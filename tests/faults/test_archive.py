"""The move of a month, killed at each of its calls to the disk: nothing is lost, nothing twice."""

import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from daemon.clock import SystemClock
from daemon.journal.verify import verify
from tests.faults.disk import Disk
from tests.harness.months import months
from tests.properties.test_archive import told

LONG = os.environ.get("BUDGET_PROOF") == "long"


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return months(tmp_path_factory.mktemp("months") / "data").home


@pytest.mark.parametrize(("name", "step"), [("archive/", 31), ("journal.sqlite", 61)])
def test_a_move_killed_at_any_call_to_the_disk_is_not_begun_or_done(
    before: Path, library: Path, tmp_path: Path, name: str, step: int
) -> None:
    """After each death everything adds up, and the next attempt ends with the same figures."""
    now_ms = SystemClock().now_ms()
    expected = figures(before, now_ms)
    for after in count(3, 7 if LONG else step):
        folder = tmp_path / str(after)
        home = shutil.copytree(before, folder / "data")
        disk = Disk(library, folder, home)
        disk.strike("any", name, "die", after=after)
        code = archive(home, disk)
        if code == 0:
            break
        assert code == -9
        disk.lose_power("journal.sqlite", "journal.sqlite-wal")
        assert figures(home, now_ms) == expected
        assert verify(home).problems == []
        disk.heal()
        assert archive(home, disk) == 0
        assert len(list((home / "archive").iterdir())) >= 4
        assert figures(home, now_ms) == expected
        assert verify(home).problems == []
        shutil.rmtree(folder)
    assert after > step


def archive(home: Path, disk: Disk) -> int:
    command = [sys.executable, "-m", "tests.faults.archiving", str(home)]
    return subprocess.run(
        command, env=os.environ | disk.environ, timeout=60, check=False
    ).returncode


def figures(home: Path, now_ms: int) -> dict[str, Any]:
    """All that is told of calls: entries of the archive itself come on top."""
    everything = told(home, now_ms)
    del everything["since"]  # ends with the number of the last entry
    for name in ("past", "oldest", "newest"):
        everything[name] = [one for one in everything[name] if one.kind != "archived"]
    return everything
