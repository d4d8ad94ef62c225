"""Many coroutines over one connection that stays open: one answer each, whatever breaks."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from tekton_budget import AsyncBudgetClient, Denied, Unavailable, errors
from tekton_budget.replies import Booked
from tests.callers.relay import Relay, relay
from tests.callers.stranger import as_http, stranger
from tests.daemon_process import Daemon, running
from tests.harness.certificate import certificate

pytestmark = pytest.mark.anyio
MODEL = "gpt-4o"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def between(daemon: Daemon) -> AsyncIterator[Relay]:
    async with relay(daemon) as found:
        yield found


@pytest.fixture
async def budget(daemon: Daemon, between: Relay, queue: Path) -> AsyncIterator[AsyncBudgetClient]:
    async with AsyncBudgetClient(
        "caller", url=between.url, token=daemon.token, queue_dir=queue, stream=True
    ) as client:
        yield client


def booked(daemon: Daemon) -> Counter[str]:
    """How often each response was booked."""
    found: Counter[str] = Counter()
    cursor = ""
    while cursor is not None:
        page = daemon.get(f"/entries?limit=1000{cursor and '&cursor='}{cursor}").body
        kinds = ("settled", "recorded", "late", "overrun")
        found.update(
            one["body"].get("response_id") for one in page["items"] if one["kind"] in kinds
        )
        cursor = page["next_cursor"]
    return found


async def call(budget: AsyncBudgetClient, name: str) -> Booked:
    async with budget.hold(MODEL, max_output_tokens=500) as hold:
        return await hold.settle({"id": name, "usage": USAGE})


async def test_five_hundred_coroutines_share_one_connection(
    daemon: Daemon, between: Relay, budget: AsyncBudgetClient
) -> None:
    names = [f"shared-{number}" for number in range(500)]

    done = await asyncio.gather(*(call(budget, name) for name in names))

    assert {one.kind for one in done} == {"settled"}
    assert between.connections == 1
    found = await anyio.to_thread.run_sync(booked, daemon)
    assert {name: found[name] for name in names} == dict.fromkeys(names, 1)


async def test_a_connection_that_breaks_loses_nothing_and_books_nothing_twice(
    daemon: Daemon, between: Relay, budget: AsyncBudgetClient
) -> None:
    names = [f"broken-{number}" for number in range(300)]
    between.cuts = [30_000, 120_000]  # among the reserves, among the settles

    await asyncio.gather(*(call(budget, name) for name in names))

    assert between.cuts == []
    assert between.connections >= 3
    found = await anyio.to_thread.run_sync(booked, daemon)
    assert {name: found[name] for name in names} == dict.fromkeys(names, 1)


async def test_a_daemon_that_is_killed_and_comes_back_has_booked_each_call_once(
    tmp_path: Path, queue: Path
) -> None:
    names = [f"killed-{number}" for number in range(600)]
    ended = anyio.Semaphore(0)
    room = anyio.Semaphore(100)
    daemon = await anyio.to_thread.run_sync(Daemon(tmp_path).start)

    async def work(name: str) -> None:
        async with room:
            await call(budget, name)
        ended.release()

    async with AsyncBudgetClient(
        "caller", data_dir=daemon.data_dir, queue_dir=queue, when_away="queue", stream=True
    ) as budget:
        async with anyio.create_task_group() as tasks:
            for name in names:
                tasks.start_soon(work, name)
            for _ in range(150):
                await ended.acquire()
            daemon.kill()
            await anyio.to_thread.run_sync(daemon.start)
        await budget.deliver()

    found = await anyio.to_thread.run_sync(booked, daemon)
    await anyio.to_thread.run_sync(daemon.kill)
    assert found == Counter(names)
    assert list(queue.glob("*.json")) == []


async def test_refusals_come_to_who_asked_and_all_else_goes_by_itself(
    between: Relay, budget: AsyncBudgetClient
) -> None:
    await budget.set_policy("shut", {"calls": 0}, "daily", match={"component": "poor"})

    fine, poor, wrong = await asyncio.gather(
        budget.check(MODEL, max_output_tokens=1),
        budget.reserve(MODEL, component="poor"),
        budget.check(MODEL, priority=11),
        return_exceptions=True,
    )

    assert not isinstance(fine, BaseException)
    assert isinstance(poor, Denied)
    assert isinstance(wrong, errors.Invalid)
    assert [shown.policy["name"] async for shown in budget.policies()] == ["shut"]
    await budget.remove_policy("shut")
    assert between.connections == 2


async def test_a_line_that_cannot_be_read_is_given_back_to_whose_it_is(
    budget: AsyncBudgetClient,
) -> None:
    texts = ["good", "bad\0", "good", "bad\0", "good"]

    told = await asyncio.gather(
        *(budget.check(MODEL, input_text=text) for text in texts), return_exceptions=True
    )

    assert [isinstance(one, errors.Malformed) for one in told] == [
        text.startswith("bad") for text in texts
    ]


async def test_a_long_one_goes_by_itself(between: Relay, budget: AsyncBudgetClient) -> None:
    assert (await budget.check(MODEL, input_text="word " * 20_000)).estimated
    assert between.connections == 1
    await budget.check(MODEL)
    assert between.connections == 2


async def test_who_stops_waiting_disturbs_nobody(budget: AsyncBudgetClient) -> None:
    tasks = [asyncio.create_task(budget.check(MODEL, input_tokens=n)) for n in range(100)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()

    assert all(checked.allowed for checked in await asyncio.gather(*tasks[1::2]))


async def test_what_is_under_way_at_the_end_is_answered(
    between: Relay, budget: AsyncBudgetClient
) -> None:
    await budget.check(MODEL)
    tasks = [asyncio.create_task(budget.reserve(MODEL, max_output_tokens=1)) for _ in range(100)]
    await asyncio.sleep(0)  # each has said its line

    with anyio.fail_after(5):
        await budget.close()

    assert len({held.reservation_id for held in await asyncio.gather(*tasks)}) == 100
    assert between.connections == 1


async def test_everybody_hears_that_the_token_is_wrong(between: Relay, queue: Path) -> None:
    async with AsyncBudgetClient(
        "me", url=between.url, token="bgt_wrong", queue_dir=queue, stream=True
    ) as stranger_here:
        told = await asyncio.gather(
            *(stranger_here.check(MODEL) for _ in range(10)), return_exceptions=True
        )

    assert [type(one) for one in told] == [errors.Unauthenticated] * 10


@pytest.mark.parametrize("answer", [b"", None])
async def test_an_answer_that_does_not_come_is_an_unknown_outcome(
    queue: Path, answer: bytes | None
) -> None:
    told: list[Any] = []
    with stranger(answer) as (url, _):
        async with AsyncBudgetClient(
            "me", url=url, token="x", queue_dir=queue, tries=1, timeout_s=0.2, stream=True
        ) as budget:
            asks = (budget.reserve(MODEL) for _ in range(2))
            told = await asyncio.gather(*asks, return_exceptions=True)

    assert [type(one) for one in told] == [Unavailable] * 2
    assert [one.facts["outcome"] for one in told] == ["unknown"] * 2


async def test_another_program_on_the_port_is_not_taken_for_a_daemon(queue: Path) -> None:
    with stranger(as_http("200 OK", {})) as (url, _):
        async with AsyncBudgetClient(
            "me", url=url, token="x", queue_dir=queue, tries=1, stream=True
        ) as budget:
            with pytest.raises(Unavailable, match="not with a stream"):
                await budget.check(MODEL)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with a certificate of its own, on a unix socket too."""
    home = tmp_path_factory.mktemp("guarded")
    pem = certificate(home / "budget.pem", host="budget.example")
    told = f'tls_cert = "{pem}"\ntls_key = "{pem}"\nsocket = "{home / "budget.sock"}"\n'
    with running(home, f"[daemon]\n{told}") as found:
        yield found


@pytest.mark.parametrize("way", ["unix:", "https:"])
async def test_a_stream_goes_over_tls_and_over_the_unix_socket(
    guarded: Daemon, queue: Path, way: str
) -> None:
    if way == "https:":
        with suppress(FileNotFoundError):
            Path(guarded.told["socket"]).unlink()
    async with AsyncBudgetClient(
        "me", data_dir=guarded.data_dir, queue_dir=queue, stream=True
    ) as budget:
        checked = await asyncio.gather(*(budget.check(MODEL) for _ in range(10)))
        assert budget._wire._plain._where().url.startswith(way)

    assert all(one.allowed for one in checked)
