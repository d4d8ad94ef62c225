"""The command `budget` as a person runs it: another process, a clean home."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def clean_environ(home: Path) -> dict[str, str]:
    """Make an environment that knows nothing of this machine's own daemon."""
    ours = ("BUDGET_", "PENIA_", "HERMES_", "TEKTON_", "XDG_")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    return kept | {
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
        "COLUMNS": "100",
        "TZ": "UTC",
        "BUDGET_PRICES__REFRESH_HOURS": "0",  # no test asks the internet what models cost
    }


def command(environ: Mapping[str, str], place: Path) -> Run:
    """Give the command, which runs in a directory until it has ended."""

    def run(
        *args: str, stdin: str = "", env: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-P", "-m", "daemon", *args],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=place,
            env={**environ, **(env or {})},
            timeout=60,
        )

    return run


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return clean_environ(tmp_path)


@pytest.fixture
def budget(environ: dict[str, str], tmp_path: Path) -> Run:
    return command(environ, tmp_path)
