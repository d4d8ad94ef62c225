"""Rounds of short phases, in turn on every server: what is compared was measured side by side."""

import asyncio  # noqa: TID251  # its loop opens the connections
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from benchmarks.calls import (
    COMPONENTS,
    checks,
    in_batches,
    records,
    reserve_items,
    reserves,
    routes,
    settle_items,
    settles,
)
from benchmarks.client import Caller, Connect, Load, connected, put
from benchmarks.lines import pour
from benchmarks.servers import Server

CROWD = 64
"""Callers where one number of them is enough."""
SETTLE_S = 60.0
"""Far beyond what it takes: every hold is settled."""
IN_BATCHES = 800
"""Operations in all batches that are under way; a ledger's inbox takes 1,024."""
MORE: tuple[tuple[str, Callable[[str], Iterator[bytes]], int], ...] = (
    ("check", checks, 200), ("record", records, 201), ("route", routes, 200),
)  # fmt: skip


class Effort(NamedTuple):
    """How much is measured."""

    rounds: int
    seconds: float
    requests_max: int
    callers: tuple[int, ...]


class Target(NamedTuple):
    """One way to ask one of the servers."""

    name: str
    server: Server
    bare: bool = False
    unix: bool = False
    keyed: bool = False
    only: int = 0
    """Asked by this number of callers only."""
    components: int = COMPONENTS
    mcp: bool = False
    batch: int = 0
    """Operations in one request."""
    stream: bool = False
    """All operations over few requests."""
    more: bool = False
    """Asked to check, record and route as well."""


class Row(NamedTuple):
    """What a line of the table is about."""

    callers: int
    target: str
    request: str
    unix: bool


class Sample(NamedTuple):
    """One phase: latencies in milliseconds, the server's CPU in microseconds an operation."""

    rate: float
    p50: float
    p95: float
    p99: float
    cpu: float


Samples = dict[Row, list[Sample]]
"""Of each row, one sample a round."""


async def measure(targets: Iterable[Target], effort: Effort) -> AsyncIterator[tuple[int, Samples]]:
    """Yield after each round: its number, and all samples so far."""
    targets = list(targets)
    warm_up = Effort(1, effort.seconds / 2, effort.requests_max, (CROWD,))
    await one_round(targets, warm_up, {})
    samples: Samples = {}
    for number in range(1, effort.rounds + 1):
        await one_round(targets, effort, samples)
        yield number, samples


async def one_round(targets: list[Target], effort: Effort, samples: Samples) -> None:
    for callers in effort.callers:
        for target in targets:
            if target.only not in (0, callers):
                continue
            async for request, sample in visit(target, callers, effort):
                row = Row(callers, target.name, request, target.unix)
                samples.setdefault(row, []).append(sample)


async def visit(target: Target, callers: int, effort: Effort) -> AsyncIterator[tuple[str, Sample]]:
    """Reserve for a while, then settle it all."""
    token = target.server.token
    if target.stream:
        async for found in visit_by_stream(target, effort):
            yield found
        return
    if target.batch:
        async for found in visit_by_batch(target, callers, effort):
            yield found
        return
    async with connected(connector(target), callers) as crowd:
        how = {"keyed": target.keyed, "mcp": target.mcp}
        asked = islice(reserves(token, **how, components=target.components), effort.requests_max)
        status = 200 if target.mcp else 201
        load, sample = await phase(target.server, crowd, asked, status, effort.seconds)
        if target.bare:
            yield "", sample
            return
        yield "reserve", sample
        told = settles(token, load.answers, **how)
        _, sample = await phase(target.server, crowd, told, 200, SETTLE_S)
        yield "settle", sample
        if target.more:
            for request, asking, status in MORE:
                asked = islice(asking(token), effort.requests_max)
                _, sample = await phase(target.server, crowd, asked, status, effort.seconds)
                yield request, sample


async def visit_by_batch(
    target: Target, callers: int, effort: Effort
) -> AsyncIterator[tuple[str, Sample]]:
    token, size = target.server.token, target.batch
    callers = min(callers, max(1, IN_BATCHES // size))
    async with connected(connector(target), callers) as crowd:
        items = islice(reserve_items(), effort.requests_max)
        asked = in_batches(token, items, size)
        load, sample = await phase(target.server, crowd, asked, 200, effort.seconds, size)
        yield "reserve", sample
        told = in_batches(token, settle_items(load.answers), size)
        _, sample = await phase(target.server, crowd, told, 200, SETTLE_S, size)
        yield "settle", sample


async def visit_by_stream(target: Target, effort: Effort) -> AsyncIterator[tuple[str, Sample]]:
    answers: list[bytes] = []
    for request in ("reserve", "settle"):
        items = reserve_items() if request == "reserve" else settle_items(answers)
        lines = islice(items, effort.requests_max)
        began_ns, cpu_ns = time.perf_counter_ns(), target.server.cpu_ns()
        count, answers = await pour(connector(target), target.server.token, lines)
        took_ns, used_ns = time.perf_counter_ns() - began_ns, target.server.cpu_ns() - cpu_ns
        untimed = float("nan")
        rate, cpu = count * 1e9 / took_ns, used_ns / 1e3 / count
        yield request, Sample(rate, untimed, untimed, untimed, cpu)


async def phase(
    server: Server,
    crowd: list[Caller],
    requests: Iterator[bytes],
    status: int,
    seconds: float,
    operations: int = 1,
) -> tuple[Load, Sample]:
    began_ns, cpu_ns = time.perf_counter_ns(), server.cpu_ns()
    load = await put(crowd, requests, status, seconds)
    took_ns, used_ns = time.perf_counter_ns() - began_ns, server.cpu_ns() - cpu_ns
    times = sorted(load.latencies_ns)
    return load, Sample(
        rate=len(times) * operations * 1e9 / took_ns,
        p50=percentile(times, 50),
        p95=percentile(times, 95),
        p99=percentile(times, 99),
        cpu=used_ns / 1e3 / len(times) / operations,
    )


def connector(target: Target) -> Connect:
    loop = asyncio.get_running_loop()
    if target.unix:
        return lambda protocol: loop.create_unix_connection(protocol, str(target.server.socket))
    return lambda protocol: loop.create_connection(protocol, "127.0.0.1", target.server.port)


def percentile(times_ns: list[int], percent: int) -> float:
    """In milliseconds; of nothing it is no number."""
    return float("nan") if not times_ns else times_ns[(len(times_ns) - 1) * percent // 100] / 1e6
