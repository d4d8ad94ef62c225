"""On what was measured: enough to compare with, nothing that names the machine."""

import os
import platform
import resource
import sqlite3
import sys
import sysconfig
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

from daemon.clock import SystemClock
from protocols.period import rfc3339

PACKAGES = ("aiohttp", "anyio", "pykka", "pydantic", "aiosqlite")
FLUSHES = 200
FILES = 16_384
PAGE = bytes(4096)


def today() -> str:
    return rfc3339(SystemClock().now_ms())[:10]


def facts(work: Path) -> list[str]:
    """Machine, versions, what else ran, how fast the disk is."""
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    python = f"CPython {platform.python_version()} {'with' if optimised else 'without'} PGO"
    return [
        f"{machine()}, Linux {platform.release().partition('-')[0]}",
        f"{python}, SQLite {sqlite3.sqlite_version}, {packages}",
        f"load average {os.getloadavg()[0]:.1f} before, niceness {os.nice(0)}",
        f"4 KB appended and flushed to the disk: {flush_ms(work):.2f} ms (median)",
    ]


def flush_ms(work: Path) -> float:
    """What every commit waits for at least."""
    path = work / "flush"
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(FLUSHES):
            began = time.perf_counter()
            file.write(PAGE)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    path.unlink()
    return median(times) * 1e3


def machine() -> str:
    kind = platform.machine().replace("_", "-")
    if " hypervisor" in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        return f"{os.cpu_count()} vCPU {kind} virtual machine"
    return f"{os.cpu_count()} CPU {kind} machine"


def allow_connections() -> None:
    """Thousands of them need more descriptors than a shell usually gives."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def progress(what: str, done: int, of: int) -> None:
    """One line on stderr that is written over."""
    end = "\n" if done >= of else "\r"
    print(f"{what} {done:,} of {of:,}", end=end, file=sys.stderr, flush=True)
