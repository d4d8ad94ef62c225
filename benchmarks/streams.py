"""What a thousand readers of events cost those who reserve.

`python -m benchmarks.streams [--quick]`: callers reserve while nobody listens, while a thousand
readers of `/api/v1/events` hear nothing, and while each of them hears four events a second; in
turn, round after round. The readers live in a process of their own.
"""

import asyncio  # noqa: TID251  # as the callers of benchmarks.client
import multiprocessing
import tempfile
from itertools import count, islice
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median

import aiohttp
import anyio
import click

from benchmarks import rules
from benchmarks.calls import reserves
from benchmarks.client import connected
from benchmarks.machine import facts, progress, today
from benchmarks.measure import Sample, Target, connector, phase
from benchmarks.report import put_into
from benchmarks.servers import Server, daemon

READERS = 1_000
CALLERS = 16
PAUSE_S = 0.25
MARK = "streams"
STATES = ("nobody listens", "1,000 readers hear nothing", "1,000 readers hear 4 events a second")
SPAWN = multiprocessing.get_context("spawn")


def read(port: int, token: str, readers: int, ready: Event, over: Event) -> None:
    """A process of readers; bytes are taken and thrown away."""
    anyio.run(listen, port, token, readers, ready, over)


async def listen(port: int, token: str, readers: int, ready: Event, over: Event) -> None:
    request = f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    streams = []
    for _ in range(readers):
        stream = await anyio.connect_tcp("127.0.0.1", port)
        await stream.send(f"{request}\r\n".encode())
        assert b" 200 " in await stream.receive()
        streams.append(stream)
    async with anyio.create_task_group() as tasks:
        for stream in streams:
            tasks.start_soon(drain, stream)
        ready.set()
        await anyio.to_thread.run_sync(over.wait)
        tasks.cancel_scope.cancel()


async def drain(stream: anyio.abc.SocketStream) -> None:
    while True:
        await stream.receive()


async def happen(server: Server) -> None:
    """An event every quarter of a second: somebody changes a policy that matches nobody."""
    headers = {"Authorization": f"Bearer {server.token}"}
    place = f"http://127.0.0.1:{server.port}"
    async with aiohttp.ClientSession(place, headers=headers) as session:
        for number in count(1):
            policy = {"name": "news", "limit": {"calls": number}, "period": "total"}
            policy["match"] = {"component": "nobody"}
            async with session.post("/api/v1/policies", json=policy) as answer:
                assert answer.status == 201, await answer.read()
            await anyio.sleep(PAUSE_S)


async def rounds(server: Server, number: int, seconds: float) -> dict[str, list[Sample]]:
    seen: dict[str, list[Sample]] = {state: [] for state in STATES}
    async with connected(connector(Target("", server)), CALLERS) as crowd:

        async def reserve(state: str) -> None:
            asked = islice(reserves(server.token), 50_000)
            _, sample = await phase(server, crowd, asked, 201, seconds)
            seen[state].append(sample)

        await reserve(STATES[0])
        seen[STATES[0]].clear()
        for turn in range(number):
            await reserve(STATES[0])
            ready, over = SPAWN.Event(), SPAWN.Event()
            told = (server.port, server.token, READERS, ready, over)
            readers = SPAWN.Process(target=read, args=told, daemon=True)
            readers.start()
            await anyio.to_thread.run_sync(ready.wait)
            await reserve(STATES[1])
            news = asyncio.create_task(happen(server))
            await reserve(STATES[2])
            news.cancel()
            over.set()
            await anyio.to_thread.run_sync(readers.join)
            progress("rounds", turn + 1, number)
    return seen


def table(seen: dict[str, list[Sample]]) -> str:
    lines = [
        f"{CALLERS} callers reserve as fast as they can while",
        "",
        "| | requests/s | p50 ms | p99 ms | p50 ÷ nobody | p99 ÷ nobody |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for state, samples in seen.items():
        pairs = list(zip(samples, seen[STATES[0]], strict=True))
        lines.append(
            f"| {state} | {median(s.rate for s in samples):,.0f} | "
            f"{median(s.p50 for s in samples):.2f} | {median(s.p99 for s in samples):.2f} | "
            f"{median(s.p50 / c.p50 for s, c in pairs):.2f} | "
            f"{median(s.p99 / c.p99 for s, c in pairs):.2f} |"
        )
    return "\n".join(lines)


@click.command()
@click.option("--quick", is_flag=True, help="Less of everything.")
@click.option("--rounds", "number", type=int, default=5, show_default=True)
@click.option("--write", "page", type=Path, help="Put the table into this page, too.")
def main(*, quick: bool, number: int, page: Path | None) -> None:
    """Measure reserves beside a thousand readers of events."""
    with tempfile.TemporaryDirectory() as home:
        path = rules.written(Path(home), rules.with_room(READERS * 2))
        with daemon(Path(home) / "data", "asyncio", path) as server:
            seen = anyio.run(rounds, server, number, 0.5 if quick else 2.0)
        told = [f"Run of {today()}, {number} rounds.", ""]
        told += [f"- {fact}" for fact in facts(Path(home))]
    text = "\n".join((*told, "", table(seen)))
    click.echo(text)
    if page is not None:
        put_into(page, text, MARK)


if __name__ == "__main__":
    main()
