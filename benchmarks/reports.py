"""What a report costs over a million calls, and what it costs the calls beside it.

`python -m benchmarks.reports [--quick]`: a month of calls by eight components with six models is
in the journal. Reports are asked over HTTP, first alone, then one after the other without a pause
while callers reserve; the same callers reserve without them, in turn, round after round. The last
row adds the same month up from the entries themselves: what roll-ups save.
"""

import asyncio  # noqa: TID251  # as the callers of benchmarks.client
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import anyio
import click

from benchmarks.__main__ import CALLS, QUICK_CALLS, TERMINATED
from benchmarks.calls import reserves
from benchmarks.client import connected
from benchmarks.machine import facts, progress, today
from benchmarks.measure import Sample, Target, connector, phase
from benchmarks.prefill import WORK, prefilled
from benchmarks.report import put_into
from benchmarks.servers import Server, copied, daemon

MODELS = ("gpt-4o-mini", "gpt-4o", "gpt-4.1", "gpt-4.1-mini", "gpt-5", "gpt-5-mini")
CALLERS = 16
MARK = "reports"
QUESTIONS: Mapping[str, dict[str, Any]] = {
    "component, model and day, UTC": {
        "span": "last_30_days", "every": "day", "group_by": ["component", "model"],
    },
    "the same, days of Berlin": {
        "span": "last_30_days", "every": "day", "group_by": ["component", "model"],
        "zone": "Europe/Berlin",
    },
    "the same, days of Kolkata": {
        "span": "last_30_days", "every": "day", "group_by": ["component", "model"],
        "zone": "Asia/Kolkata",
    },
    "component, beside the month before": {
        "span": "last_30_days", "group_by": ["component"], "compare": True,
    },
    "policy": {"span": "last_30_days", "group_by": ["policy"]},
    "hour, one component": {"span": "last_7_days", "every": "hour", "component": "component-1"},
}  # fmt: skip
BY_HAND = (
    "SELECT component, body ->> '$.model', at_ms / 86400000, sum(body ->> '$.usd'), "
    "sum(body ->> '$.tokens'), count(*) FROM entry WHERE kind = 'settled' GROUP BY 1, 2, 3"
)
RATED = {"limit": 10_000}
PAUSES = {"with two reports a second": 0.5, "with one report after the other": 0.0}


@dataclass
class Seen:
    """All samples: latencies of reports in milliseconds, phases of reserves."""

    alone: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """Until the answer was there, and the CPU that the daemon spent on it."""
    meanwhile: dict[str, list[float]] = field(default_factory=dict)
    calm: list[Sample] = field(default_factory=list)
    beside: dict[str, list[Sample]] = field(default_factory=dict)


async def rounds(server: Server, number: int, seconds: float) -> Seen:
    seen = Seen()
    headers = {"Authorization": f"Bearer {server.token}"}
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{server.port}", headers=headers) as session,
        connected(connector(Target("full", server)), CALLERS) as crowd,
    ):
        for turn in range(number):
            for name, question in QUESTIONS.items():
                spent_ns = server.cpu_ns()
                took_ms = await ask(session, question)
                cpu_ms = (server.cpu_ns() - spent_ns) / 1e6
                seen.alone.setdefault(name, []).append((took_ms, cpu_ms))
            _, calm = await phase(server, crowd, reserving(server), 201, seconds)
            seen.calm.append(calm)
            for rate, pause_s in PAUSES.items():
                heard = seen.meanwhile.setdefault(rate, [])
                asking = asyncio.create_task(go_on_asking(session, pause_s, heard))
                _, busy = await phase(server, crowd, reserving(server), 201, seconds)
                seen.beside.setdefault(rate, []).append(busy)
                asking.cancel()
            progress("report rounds", turn + 1, number)
    return seen


def reserving(server: Server) -> Iterator[bytes]:
    return islice(reserves(server.token), 50_000)


async def go_on_asking(session: aiohttp.ClientSession, pause_s: float, heard: list[float]) -> None:
    first = next(iter(QUESTIONS.values()))
    while True:
        heard.append(await ask(session, first))
        await anyio.sleep(pause_s)


async def ask(session: aiohttp.ClientSession, question: dict[str, Any]) -> float:
    """Milliseconds until the whole answer is there."""
    began = time.perf_counter()
    async with session.post("/api/v1/reports", json=question | RATED) as answer:
        body = await answer.read()
        assert answer.status == 200, body
    return (time.perf_counter() - began) * 1e3


def by_hand(journal: Path) -> float:
    """Milliseconds to add the same month up from the entries, by SQLite itself."""
    with sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True) as db:
        began = time.perf_counter()
        assert db.execute(BY_HAND).fetchall()
        return (time.perf_counter() - began) * 1e3


def table(seen: Seen, scanned_ms: float) -> str:
    lines = [
        "| a month by | median ms | slowest ms | CPU ms |", "| --- | ---: | ---: | ---: |",
        *(
            f"| {name} | {median(t for t, _ in of):.1f} | {max(t for t, _ in of):.1f} | "
            f"{median(cpu for _, cpu in of):.1f} |"
            for name, of in seen.alone.items()
        ),
        f"| the first, added up from the entries | {scanned_ms:,.0f} | | |",
        "", f"With {CALLERS} callers reserving as fast as they can:", "",
        "| reserves | requests/s | p50 ms | p99 ms | p50 ÷ alone | p99 ÷ alone | a report ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        reserve_line("alone", seen.calm, seen.calm, []),
        *(reserve_line(n, of, seen.calm, seen.meanwhile[n]) for n, of in seen.beside.items()),
    ]  # fmt: skip
    return "\n".join(lines)


def reserve_line(name: str, of: list[Sample], calm: list[Sample], reports: list[float]) -> str:
    """A ratio is the median of the ratios within each round."""
    pairs = list(zip(of, calm, strict=True))
    return (
        f"| {name} | {median(s.rate for s in of):,.0f} | {median(s.p50 for s in of):.2f} | "
        f"{median(s.p99 for s in of):.2f} | {median(s.p50 / c.p50 for s, c in pairs):.2f} | "
        f"{median(s.p99 / c.p99 for s, c in pairs):.2f} | "
        f"{f'{median(reports):.1f}' if reports else ''} |"
    )


@click.command()
@click.option("--quick", is_flag=True, help="Less of everything.")
@click.option("--calls", type=int, help="Settled calls in the journal.")
@click.option("--rounds", "number", type=int, default=7, show_default=True)
@click.option("--work-dir", type=Path, default=WORK, help="Keeps the journal for next time.")
@click.option("--write", "page", type=Path, help="Put the tables into this page, too.")
def main(*, quick: bool, calls: int | None, number: int, work_dir: Path, page: Path | None) -> None:
    """Measure reports, and reserves beside them."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    work_dir.mkdir(parents=True, exist_ok=True)
    calls = calls or (QUICK_CALLS if quick else CALLS)
    journal = prefilled(work_dir, calls, models=MODELS)
    told = [f"Run of {today()}, {calls:,} calls, {number} rounds.", ""]
    told += [f"- {fact}" for fact in facts(work_dir)]
    with copied(work_dir, journal) as home, daemon(home, "asyncio") as server:
        seen = anyio.run(rounds, server, number, 0.3 if quick else 1.0)
    text = "\n".join((*told, "", table(seen, by_hand(journal))))
    click.echo(text)
    if page is not None:
        put_into(page, text, MARK)


if __name__ == "__main__":
    main()
