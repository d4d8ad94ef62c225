"""The stream: NDJSON both ways over one request, and no more under way than its window."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import anyio
import pytest

from protocols.errors import Denied, Unavailable
from protocols.ledger import Reserve
from tests.protocols.door import ADMIN, RESERVE, Door, open_door, reservation

pytestmark = pytest.mark.anyio
NDJSON = {**ADMIN, "Content-Type": "application/x-ndjson"}


class Stream:
    """Lines that a test writes one by one, and the outcomes that come back."""

    def __init__(self, lines: AsyncIterator[bytes], send: Any) -> None:
        self.lines = lines
        self._send = send

    async def say(self, line: object) -> None:
        text = line if isinstance(line, bytes) else json.dumps(line).encode()
        await self._send.send(text + b"\n")

    async def end(self) -> None:
        await self._send.aclose()

    async def hear(self) -> dict[str, Any]:
        with anyio.fail_after(5):
            told: dict[str, Any] = json.loads(await anext(self.lines))
            return told


@asynccontextmanager
async def streaming(door: Door) -> AsyncIterator[Stream]:
    send, receive = anyio.create_memory_object_stream[bytes](1000)
    with send, receive:
        send.send_nowait(b"\n")  # aiohttp sends its header with the first of the body
        async with door.session.post("/api/v1/stream", data=receive, headers=NDJSON) as answer:
            assert (answer.status, answer.content_type) == (200, "application/x-ndjson")
            yield Stream(aiter(answer.content), send)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door(stream_window=4, body_bytes_max=2000) as door:
        yield door


def line(told: object, **body: object) -> dict[str, object]:
    return {"id": told, "operation": "reserve", "body": RESERVE | body}


async def test_each_line_gets_its_outcome_under_its_id(door: Door) -> None:
    async with streaming(door) as stream:
        await stream.say(line("a"))
        assert (await stream.hear())["id"] == "a"
        await stream.say(line(7))
        told = await stream.hear()
        await stream.end()

    assert (told["id"], told["status"], told["body"]["status"]) == (7, 201, "held")


async def test_outcomes_do_not_wait_for_each_other(door: Door) -> None:
    go = anyio.Event()

    async def decide(request: Reserve) -> object:
        if request.input_tokens == 1:
            await go.wait()
        return reservation()

    door.desk.answers["Reserve"] = decide
    async with streaming(door) as stream:
        await stream.say(line("slow", input_tokens=1))
        await stream.say(line("quick"))
        first = await stream.hear()
        go.set()
        second = await stream.hear()
        await stream.end()

    assert (first["id"], second["id"]) == ("quick", "slow")


async def test_a_line_that_is_wrong_is_its_own_outcome(door: Door) -> None:
    door.desk.answers["Settle"] = Denied("no", left="0.00")
    async with streaming(door) as stream:
        wrong = [
            b"{",
            b"[]",
            {"id": "x", "operation": "nonsense"},
            {"id": "y", "operation": "reserve", "body": {"component": "apollo"}},
            {"id": [1], "operation": "reserve"},
            {"id": "long", "operation": "reserve", "body": {"component": "a" * 2000}},
        ]
        for one in wrong:
            await stream.say(one)
        told = [await stream.hear() for _ in wrong]
        await stream.say(line("good"))
        assert (await stream.hear())["status"] == 201
        await stream.end()

    assert [(one["id"], one["status"]) for one in told] == [
        (None, 400), (None, 400), ("x", 422), ("y", 422), (None, 422), (None, 413),
    ]  # fmt: skip


async def test_no_more_than_the_window_is_under_way(door: Door) -> None:
    go = anyio.Event()

    async def decide(_: Reserve) -> object:
        await go.wait()
        return reservation()

    door.desk.answers["Reserve"] = decide
    async with streaming(door) as stream:
        for number in range(10):
            await stream.say(line(number))
        await stream.end()
        with anyio.fail_after(5):
            while len(door.desk.asked) < 4:
                await anyio.wait_all_tasks_blocked()
        await anyio.wait_all_tasks_blocked()
        assert len(door.desk.asked) == 4
        go.set()
        told = [await stream.hear() for _ in range(10)]

    assert {one["id"] for one in told} == set(range(10))


async def test_keys_and_scope_hold_in_a_stream(door: Door) -> None:
    async with streaming(door) as stream:
        await stream.say(line(1) | {"idempotency_key": "k"})
        assert (await stream.hear())["status"] == 201
        await stream.end()
    headers = NDJSON | {"Authorization": "Bearer report"}
    text = json.dumps(line(1, component="rhetor"))
    async with door.session.post("/api/v1/stream", data=text, headers=headers) as answer:
        told = json.loads(await answer.text())

    assert door.desk.asked[0][2].key == "k"
    assert (told["status"], told["body"]["code"]) == (403, "forbidden")


async def test_other_kinds_of_body_are_refused(door: Door) -> None:
    assert (await door.send("POST", "/api/v1/stream", data=b"{}")).status == 415


async def test_a_caller_who_hangs_up_leaves_what_was_put_to_end(door: Door) -> None:
    asked, go, ended = anyio.Event(), anyio.Event(), anyio.Event()

    async def decide(_: Reserve) -> object:
        asked.set()
        await go.wait()
        ended.set()
        return reservation()

    door.desk.answers["Reserve"] = decide

    async def call() -> None:
        async with streaming(door) as stream:
            await stream.say(line(1))
            await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        with anyio.fail_after(5):
            await asked.wait()
        group.cancel_scope.cancel()
    go.set()
    with anyio.fail_after(5):
        await ended.wait()
    door.desk.answers["Reserve"] = reservation()
    assert (await door.post("/reservations", RESERVE)).status == 201


async def test_a_door_that_closes_ends_the_stream_after_what_it_took() -> None:
    told: list[dict[str, Any]] = []
    heard, go = anyio.Event(), anyio.Event()

    async def call(door: Door) -> None:
        async with (
            aiohttp.ClientSession(base_url=door.listening.url) as door.session,
            streaming(door) as stream,
        ):
            await stream.say(line(1))
            told.append(await stream.hear())
            heard.set()
            await stream.say(line(2))
            told.append(await stream.hear())
            assert [one async for one in stream.lines] == []

    async def decide(_: Reserve) -> object:
        if heard.is_set():
            go.set()
            return Unavailable("the daemon is stopping", outcome="not-applied")
        return reservation()

    async with anyio.create_task_group() as group, open_door(stop_s=5.0) as door:
        door.desk.answers["Reserve"] = decide
        group.start_soon(call, door)
        with anyio.fail_after(5):
            await go.wait()

    assert [one["status"] for one in told] == [201, 503]
