"""The daemon as another process: start it, see it answer, stop it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import daemon
from daemon import client
from daemon.cli.answer import Stop
from daemon.cli.progress import Line
from protocols.errors import BudgetError

READY_WITHIN_S = 15.0
STOPPED_WITHIN_S = 30.0
PAUSE_S = 0.05
LOG_LINES = 12
OURS = ("BUDGET_", "PENIA_", "HERMES_", "TEKTON_")
"""How our environment variables begin."""


def answering(home: Path) -> client.Running | None:
    """Find the daemon of this data directory, if it answers."""
    note = client.running(home)
    if note is None:
        return None
    try:
        with client.Client(note.address, timeout_s=2.0, pinned=note.tls_cert) as asked:
            asked.get("/health")
    except BudgetError:
        return None
    return note


def log_of(home: Path) -> Path:
    return home / "daemon.log"


def start(home: Path, flags: Sequence[str], *, clean: bool = False) -> client.Running:
    """Start a daemon in a session of its own and wait until it answers.

    `clean` keeps this process's own settings from it. Raises `Stop` with what it wrote.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = log_of(home)
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as stream:
        begin = stream.tell()
        process = subprocess.Popen(  # noqa: S603  # our own interpreter, our own arguments
            [sys.executable, "-P", "-m", "daemon", "serve", *flags],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            env=_environment(clean=clean),
        )
    try:
        return _when_ready(process, home, begin)
    except BaseException:
        process.terminate()
        raise


def _environment(*, clean: bool) -> Mapping[str, str]:
    """Make the child import the very files this process runs from."""
    root = str(Path(daemon.__file__).parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    kept = {
        name: text for name, text in os.environ.items() if not (clean and name.startswith(OURS))
    }
    return kept | {"PYTHONPATH": path}


def _when_ready(process: "subprocess.Popen[bytes]", home: Path, begin: int) -> client.Running:
    deadline = time.monotonic() + READY_WITHIN_S
    with Line() as line:
        while time.monotonic() < deadline:
            code = process.poll()
            there = answering(home)
            if there is not None and (code is not None or there.pid == process.pid):
                return there
            if code is not None:
                tail = _written_since(home, begin)
                hint = f"all it wrote: {log_of(home)}"
                raise Stop("the daemon did not start", hint, tail, exit_code=code or 1)
            line.spin("starting the daemon")
            time.sleep(PAUSE_S)
    raise Stop(
        f"the daemon was not ready after {READY_WITHIN_S:.0f} s and was stopped",
        f"look at {log_of(home)}",
        _written_since(home, begin),
    )


def _written_since(home: Path, begin: int) -> list[str]:
    with log_of(home).open("rb") as file:
        file.seek(begin)
        return file.read().decode("utf-8", "replace").splitlines()[-LOG_LINES:]


def stop(pid: int, home: Path) -> None:
    """Ask a daemon to end, and wait until it has."""
    with suppress(ProcessLookupError):  # it has ended by itself
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOPPED_WITHIN_S
    with Line() as line:
        while alive(pid):
            if time.monotonic() > deadline:
                raise Stop(f"pid {pid} is still running", f"look at {log_of(home)}")
            line.spin("stopping the daemon")
            time.sleep(PAUSE_S)


def alive(pid: int) -> bool:
    """Tell whether a process is still at work; one that waits to be reaped is not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return True
    return state.rpartition(")")[2].split()[0] != "Z"
