"""Rounds of short phases, in turn on every server: what is compared was measured side by side."""

import asyncio  # noqa: TID251  # its loop opens the connections
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from benchmarks.calls import reserves, settles
from benchmarks.client import Caller, Connect, Load, connected, put
from benchmarks.servers import Server

SETTLE_S = 60.0
"""Far beyond what it takes: every hold is settled."""


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
    crowd_only: bool = False
    """Asked by the largest number of callers only."""


class Row(NamedTuple):
    """What a line of the table is about."""

    callers: int
    target: str
    request: str
    unix: bool


class Sample(NamedTuple):
    """One phase: latencies in milliseconds, the server's CPU in microseconds a request."""

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
    warm_up = Effort(1, effort.seconds / 2, effort.requests_max, effort.callers[-1:])
    await one_round(targets, warm_up, {})
    samples: Samples = {}
    for number in range(1, effort.rounds + 1):
        await one_round(targets, effort, samples)
        yield number, samples


async def one_round(targets: list[Target], effort: Effort, samples: Samples) -> None:
    for callers in effort.callers:
        for target in targets:
            if target.crowd_only and callers != effort.callers[-1]:
                continue
            async for request, sample in visit(target, callers, effort):
                row = Row(callers, target.name, request, target.unix)
                samples.setdefault(row, []).append(sample)


async def visit(target: Target, callers: int, effort: Effort) -> AsyncIterator[tuple[str, Sample]]:
    """Reserve for a while, then settle it all."""
    token = target.server.token
    async with connected(connector(target), callers) as crowd:
        asked = islice(reserves(token, keyed=target.keyed), effort.requests_max)
        load, sample = await phase(target.server, crowd, asked, 201, effort.seconds)
        if target.bare:
            yield "", sample
            return
        yield "reserve", sample
        told = settles(token, load.answers, keyed=target.keyed)
        _, sample = await phase(target.server, crowd, told, 200, SETTLE_S)
        yield "settle", sample


async def phase(
    server: Server, crowd: list[Caller], requests: Iterator[bytes], status: int, seconds: float
) -> tuple[Load, Sample]:
    began_ns, cpu_ns = time.perf_counter_ns(), server.cpu_ns()
    load = await put(crowd, requests, status, seconds)
    took_ns, used_ns = time.perf_counter_ns() - began_ns, server.cpu_ns() - cpu_ns
    times = sorted(load.latencies_ns)
    return load, Sample(
        rate=len(times) * 1e9 / took_ns,
        p50=_percentile(times, 50),
        p95=_percentile(times, 95),
        p99=_percentile(times, 99),
        cpu=used_ns / 1e3 / len(times),
    )


def connector(target: Target) -> Connect:
    loop = asyncio.get_running_loop()
    if target.unix:
        return lambda protocol: loop.create_unix_connection(protocol, str(target.server.socket))
    return lambda protocol: loop.create_connection(protocol, "127.0.0.1", target.server.port)


def _percentile(times_ns: list[int], percent: int) -> float:
    return times_ns[(len(times_ns) - 1) * percent // 100] / 1e6
