"""What debug instrumentation costs a reserve while it is off: `python -m benchmarks.debugging`.

A daemon with everything on says how many instrumented places one reserve passes; a loop says what
a place costs that is off; a daemon with everything off says what a reserve costs.
"""

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median
from timeit import repeat
from typing import Any

import anyio

from benchmarks.measure import Effort, Samples, Target, measure, visit
from benchmarks.servers import Server, daemon
from protocols.debug import debug_log, log_function

ON = {"TEKTON_DEBUG": "true", "TEKTON_LOG_LEVEL": "TRACE"}
EFFORT = Effort(rounds=5, seconds=1.0, requests_max=5_000, callers=(64,))
RESERVES = 100
TURNS = 200_000
TIMES = 15
GOAL_PERCENT = 1.0


def bare(amount: int) -> int:
    return amount


decorated = log_function()(bare)


def off_ns(work: str, instead: str) -> float:
    """What `work` costs more than `instead`, in nanoseconds; the quietest of many times."""
    scope: dict[str, Any] = {"bare": bare, "decorated": decorated, "debug_log": debug_log}
    took, less = (min(repeat(text, globals=scope, number=TURNS, repeat=TIMES))
                  for text in (work, instead))  # fmt: skip
    return max(0.0, took - less) / TURNS * 1e9


def places(home: Path) -> Counter[str]:
    """How many lines of each kind a reserve writes when everything is on."""
    os.environ |= ON
    try:
        with daemon(home, "asyncio") as server:
            before = said(home)
            effort = Effort(1, 60.0, RESERVES, (1,))
            anyio.run(reserve, server, effort)
        lines = said(home)[len(before) :]
    finally:
        for name in ON:
            del os.environ[name]
    return Counter(kind for line in lines if (kind := kind_of(line)) is not None)


def said(home: Path) -> list[str]:
    return (home / "log").read_text(encoding="utf-8").splitlines()


def kind_of(line: str) -> str | None:
    """Which instrumented place wrote this; an end is written by the place that began."""
    for kind, mark in (
        ("function", "] ENTER "),
        ("message", "] hears "),
        ("door", "[budget_http]"),
    ):
        if mark in line and "hears Tick" not in line and "hears Sweep" not in line:
            return kind
    return None


async def reserve(server: Server, effort: Effort) -> None:
    async for request, _ in visit(Target("debugging", server), 1, effort):
        if request == "reserve":
            return


async def reserves(server: Server) -> Samples:
    samples: Samples = {}
    async for _, measured in measure([Target("off", server)], EFFORT):
        samples = measured
    return samples


def main() -> int:
    with tempfile.TemporaryDirectory() as work:
        passed = places(Path(work) / "on")
        with daemon(Path(work) / "off", "asyncio") as server:
            samples = anyio.run(reserves, server)
    cpu_us = median(
        one.cpu for row, many in samples.items() if row.request == "reserve" for one in many
    )
    function_ns = off_ns("decorated(7)", "bare(7)")
    check_ns = off_ns("if debug_log.enabled: pass", "pass")
    cost = {"function": function_ns, "message": check_ns, "door": check_ns}
    total_ns = 0.0
    for kind, each_ns in cost.items():
        count = passed[kind] / RESERVES
        total_ns += count * each_ns
        print(f"{count:4.1f} places of kind {kind:8} at {each_ns:5.1f} ns")
    percent = total_ns / 10 / cpu_us
    print(f"together {total_ns:.0f} ns of a reserve's {cpu_us:.0f} µs of CPU: {percent:.3f} %")
    return 0 if percent < GOAL_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main())
