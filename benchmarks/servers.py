"""The processes under load: the real daemon, and the bare endpoint it is compared with."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import bare as bare_endpoint
from benchmarks.rules import RULES

READY_S = 120.0
STOP_S = 30.0

BUDGET = "import sys; {}from daemon.cli import main; main()"
WITHOUT_UVLOOP = "sys.modules['uvloop'] = None; "
"""The daemon takes uvloop wherever it is installed; so that it takes asyncio, hide it."""


Command = list[str | Path]


@dataclass(frozen=True, slots=True)
class Server:
    """One process, and how to reach it."""

    pid: int
    port: int
    socket: Path
    token: str
    ready_s: float

    def cpu_ns(self) -> int:
        """User and system time of all its threads: the clock of clock_getcpuclockid(3)."""
        return time.clock_gettime_ns((~self.pid << 3) | 2)


@contextmanager
def daemon(home: Path, loop: str, rules: Path = RULES) -> Iterator[Server]:
    """`budget serve` on the data directory `home`, which may hold a journal."""
    code = BUDGET.format("" if loop == "uvloop" else WITHOUT_UVLOOP)
    there: Command = ["--port", "0", "--socket", home / "socket", "--data-dir", home]
    command = [sys.executable, "-P", "-c", code, "serve", *there, "--config", rules]
    (home / "daemon.json").unlink(missing_ok=True)  # of one that was killed
    began = time.perf_counter()
    with _running(command, home) as process:
        told = json.loads(_written(home / "daemon.json", process))
        port = int(told["url"].rpartition(":")[2])
        token = (home / "token").read_text(encoding="utf-8").strip()
        ready_s = time.perf_counter() - began
        yield Server(process.pid, port, home / "socket", token, ready_s)


@contextmanager
def copied(work: Path, journal: Path) -> Iterator[Path]:
    """A data directory with a copy of the journal."""
    with tempfile.TemporaryDirectory(dir=work) as home:
        shutil.copytree(journal.parent, home, dirs_exist_ok=True)
        yield Path(home)


def memory_mb(pid: int) -> float:
    """What the process has in memory."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@contextmanager
def bare(home: Path, loop: str) -> Iterator[Server]:
    """The endpoint that does nothing."""
    command: Command = [sys.executable, bare_endpoint.__file__, home / "socket", loop]
    with _running(command, home, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield Server(process.pid, int(process.stdout.readline()), home / "socket", "none", 0.0)


@contextmanager
def _running(
    command: Command, home: Path, stdout: int = subprocess.DEVNULL
) -> Iterator["subprocess.Popen[bytes]"]:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("BUDGET")}
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=stdout, stderr=log, env=plain)
    with process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(STOP_S)


def _written(path: Path, process: "subprocess.Popen[bytes]") -> str:
    """What the daemon tells programs, once it is ready."""
    deadline = time.monotonic() + READY_S
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the daemon did not start; its log is {path.with_name('log')}")
        time.sleep(0.005)
    return path.read_text(encoding="utf-8")
