"""The client for coroutines: the same promises, awaited."""

from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from tekton_budget import AsyncBudgetClient, Denied, Unavailable
from tests.callers.stranger import stranger
from tests.daemon_process import Daemon

pytestmark = pytest.mark.anyio
MODEL = "gpt-4o"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def kinds(daemon: Daemon, subject: str) -> list[str]:
    return [item["kind"] for item in daemon.get(f"/entries?subject={subject}").body["items"]]


async def test_a_call_is_held_before_and_booked_after(budget_later: AsyncBudgetClient) -> None:
    async with budget_later as budget, budget.hold(MODEL, max_output_tokens=500) as hold:
        done = await hold.settle({"usage": USAGE})

    assert (done.kind, done.cost_usd) == ("settled", Decimal("0.0035"))


async def test_many_coroutines_share_a_client(budget_later: AsyncBudgetClient) -> None:
    found: set[str] = set()

    async def work() -> None:
        held = await budget.reserve(MODEL, max_output_tokens=1)
        found.add(held.reservation_id)
        await budget.release(held.reservation_id)

    async with budget_later as budget, anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(work)

    assert len(found) == 50


async def test_a_cancelled_call_costs_what_it_held(
    daemon: Daemon, budget_later: AsyncBudgetClient
) -> None:
    async with budget_later as budget:
        with anyio.CancelScope() as gone:
            async with budget.hold(MODEL, input_tokens=10, max_output_tokens=10) as left:
                gone.cancel()
                await anyio.sleep_forever()
        with anyio.fail_after(5):
            name = left.reservation.reservation_id
            while await anyio.to_thread.run_sync(kinds, daemon, name) != ["held", "settled"]:
                pass


async def test_what_fails_is_given_back(daemon: Daemon, budget_later: AsyncBudgetClient) -> None:
    async with budget_later as budget:
        with pytest.raises(ConnectionRefusedError):
            async with budget.hold(MODEL, max_output_tokens=500) as hold:
                raise ConnectionRefusedError

    assert kinds(daemon, hold.reservation.reservation_id) == ["held", "released"]


async def test_a_tracked_coroutine_is_held_and_booked(
    daemon: Daemon, budget_later: AsyncBudgetClient
) -> None:
    async with budget_later as budget:

        @budget.track(MODEL, max_output_tokens=500)
        async def ask(prompt: str) -> dict[str, object]:
            return {"id": f"chatcmpl-{prompt}", "usage": USAGE}

        await ask("later")

    entries = daemon.get("/entries?kind=settled&limit=1000").body["items"]
    assert "chatcmpl-later" in [entry["body"].get("response_id") for entry in entries]


async def test_refusals_and_lists_are_the_same(budget_later: AsyncBudgetClient) -> None:
    async with budget_later as budget:
        await budget.set_policy("small", {"calls": 0}, "daily", match={"component": "none"})
        with pytest.raises(Denied):
            await budget.reserve(MODEL, component="none")
        assert [shown.policy["name"] async for shown in budget.policies()] == ["small"]
        await budget.remove_policy("small")


async def test_nobody_there_is_said(queue: Path) -> None:
    url = "http://127.0.0.1:1"
    async with AsyncBudgetClient("me", url=url, token="x", queue_dir=queue, tries=1) as budget:
        with pytest.raises(Unavailable):
            await budget.check(MODEL)


async def test_an_answer_that_takes_too_long_is_said_to(queue: Path) -> None:
    with stranger(None) as (url, _):
        async with AsyncBudgetClient(
            "me", url=url, token="x", queue_dir=queue, tries=1, timeout_s=0.2
        ) as budget:
            with pytest.raises(Unavailable, match="did not finish its answer: TimeoutError"):
                await budget.check(MODEL)
