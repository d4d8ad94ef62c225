"""The express lane: requests that come whole are answered just as all others are, and in order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.abc
import pytest
from aiohttp import web
from anyio.lowlevel import checkpoint

from protocols.errors import Busy, Denied
from protocols.http.crowd import Crowd
from protocols.http.express import Express
from tests.protocols.door import (
    RESERVATION_ID,
    TOKENS,
    Desk,
    Door,
    Reply,
    open_door,
    received,
    reservation,
)

pytestmark = pytest.mark.anyio
BODY = b'{"component":"apollo","model":"claude-haiku-4-5"}'
SETTLE = f"/api/v1/reservations/{RESERVATION_ID}/settle"
KEY = "Idempotency-Key: k-1\r\n"
USED = b'{"usage":{"input":3}}'
OWN = {"Date", "X-Request-Id"}
"""Headers that differ from answer to answer."""


def post(path: str = "/api/v1/reservations", body: bytes = BODY, more: str = "") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    )
    return head.encode() + body


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as door:
        yield door


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each request that was offered to the lane, whether it was taken."""
    taken: list[bool] = []
    take, take_again = Express.take, Express.take_again

    def listening(self: Express, *args: Any) -> bool:
        taken.append(take(self, *args))
        return taken[-1]

    def listening_again(self: Express, *args: Any) -> bool:
        if again := take_again(self, *args):
            taken.append(again)
        return again

    monkeypatch.setattr(Express, "take", listening)
    monkeypatch.setattr(Express, "take_again", listening_again)
    return taken


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What aiohttp's parser was given."""
    fed: list[bytes] = []
    feed = web.RequestHandler.data_received

    def feeding(self: web.RequestHandler, data: bytes) -> None:
        if data:  # with nothing, aiohttp wakes itself
            fed.append(data)
        feed(self, data)

    monkeypatch.setattr(web.RequestHandler, "data_received", feeding)
    return fed


@asynccontextmanager
async def connected(door: Door) -> AsyncIterator[anyio.abc.ByteStream]:
    assert door.listening.port is not None
    with anyio.fail_after(5):
        async with await anyio.connect_tcp("127.0.0.1", door.listening.port) as stream:
            yield stream


async def send_slowly(stream: anyio.abc.ByteStream, sent: bytes) -> None:
    """In two pieces, so that the body comes late: that is aiohttp's own way."""
    await stream.send(sent[:-5])
    await anyio.wait_all_tasks_blocked()
    await stream.send(sent[-5:])


def shown(reply: Reply) -> tuple[int, dict[str, str], Any]:
    return reply.status, {k: v for k, v in reply.headers.items() if k not in OWN}, reply.body


@pytest.mark.parametrize("sent", [post(), post(SETTLE, USED)], ids=["reserve", "settle"])
async def test_both_ways_give_the_same_answer(door: Door, lane: list[bool], sent: bytes) -> None:
    async with connected(door) as stream:
        await stream.send(sent)
        quick = await received(stream)
        await send_slowly(stream, sent)
        slow = await received(stream)

    assert lane == [True]
    assert shown(quick) == shown(slow)
    assert quick.headers.keys() == slow.headers.keys()


async def test_both_ways_give_the_same_refusal(door: Door, lane: list[bool]) -> None:
    door.desk.answers["Reserve"] = Denied("no", hint="later", left="0.00")
    async with connected(door) as stream:
        await stream.send(post())
        quick = await received(stream)
        await send_slowly(stream, post())
        slow = await received(stream)

    assert lane == [True]
    assert shown(quick) == shown(slow)
    assert quick.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    "sent",
    [
        post(body=b"{"),
        post(body=b'{"component":"apollo"}'),
        post(path="/api/v1/nowhere"),
        post(path="/api/v1/policies", body=b'{"name":"p","limit":{"calls":1},"period":"daily"}'),
        post(path="/api/v1/reservations?x=1"),
        post(path=f"/api/v1/reservations/{RESERVATION_ID}%20/settle", body=USED),
        post(more="Origin: https://evil.example\r\n"),
        post(more="Content-Encoding: gzip\r\n"),
        post().replace(b"admin", b"nobody"),
        post().replace(b"Bearer admin", b"Bearer read"),
        post().replace(b"localhost", b"evil.example"),
        post().replace(b"HTTP/1.1", b"HTTP/1.0"),
        post(more="Connection: close\r\n"),
    ],
)
async def test_what_is_not_plainly_good_is_left_to_the_ordinary_routes(
    door: Door, lane: list[bool], sent: bytes
) -> None:
    await door.raw(sent)

    assert lane == [False]


async def test_a_header_that_came_before_is_not_parsed_again(
    door: Door, lane: list[bool], parsed: list[bytes]
) -> None:
    async with connected(door) as stream:
        replies = []
        for sent in (post(), post(body=BODY + b" "), post(SETTLE, USED), post(more=KEY)):
            await stream.send(sent)
            replies.append(await received(stream))
    async with connected(door) as stream:
        await stream.send(post())
        replies.append(await received(stream))

    assert lane == [True] * 5
    assert parsed == [post()]
    assert [reply.status for reply in replies] == [201, 201, 200, 201, 201]
    assert [caller.key for _, _, caller in door.desk.asked] == [None, None, None, "k-1", None]


@pytest.mark.parametrize(
    "sent",
    [
        post().replace(b"admin", b"nobody"),
        post().replace(b"localhost", b"evil.example"),
        post().replace(b"HTTP/1.1", b"HTTP/1.0"),
        post(more="Content-Length: 49\r\n"),
        post(more="Transfer-Encoding: chunked\r\n"),
        post(more=" folded\r\n"),
        post(more=KEY + " folded\r\n"),
        post(more=KEY.replace("k-1", "k 1")),
        post(body=b"{"),
        post().replace(b"Length: ", b"Length: +"),
    ],
)
async def test_who_was_let_in_before_is_looked_at_again_where_anything_differs(
    door: Door, parsed: list[bytes], sent: bytes
) -> None:
    async with connected(door) as stream:
        for _ in range(2):
            await stream.send(post())
            await received(stream)
        await stream.send(sent)
        reply = await received(stream)

    assert sent in parsed
    assert reply.status == (await door.raw(sent)).status


async def test_a_header_that_is_known_still_needs_a_token_that_lives(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(door) as stream:
        await stream.send(post())
        assert (await received(stream)).status == 201
        monkeypatch.delitem(TOKENS, "Bearer admin")
        await stream.send(post())
        assert (await received(stream)).status == 401


async def test_pipelined_requests_are_answered_in_their_order(door: Door, lane: list[bool]) -> None:
    first, rest = anyio.Event(), 0

    async def slowly(request: Any) -> Any:
        nonlocal rest
        rest += 1
        if rest == 1:
            await first.wait()
        return reservation(request.component)

    door.desk.answers["Reserve"] = slowly
    async with connected(door) as stream:
        await stream.send(post())
        await anyio.wait_all_tasks_blocked()
        more = [post(body=BODY.replace(b"apollo", name)) for name in (b"rhetor", b"engram")]
        await stream.send(b"".join(more))
        await anyio.wait_all_tasks_blocked()
        first.set()
        data = b""
        while data.count(b'"reservation_id"') < 3:
            data += await stream.receive()

    assert [data.index(name) for name in (b"apollo", b"rhetor", b"engram")] == sorted(
        data.index(name) for name in (b"apollo", b"rhetor", b"engram")
    )
    assert lane[0]


async def test_a_caller_who_hangs_up_disturbs_nobody(door: Door, lane: list[bool]) -> None:
    gone, answered = anyio.Event(), anyio.Event()

    async def late(_: Any) -> Any:
        await gone.wait()
        answered.set()
        return reservation()

    door.desk.answers["Reserve"] = late
    async with connected(door) as stream:
        await stream.send(post())
        await anyio.wait_all_tasks_blocked()
    gone.set()
    with anyio.fail_after(5):
        await answered.wait()
    assert (await door.raw(post())).status == 201
    assert lane == [True, True]


async def test_a_door_that_closes_lets_the_answer_out() -> None:
    asked, go = anyio.Event(), anyio.Event()
    replies: list[Reply] = []

    async def late(_: Any) -> Any:
        asked.set()
        await go.wait()
        return reservation()

    async def call() -> None:
        async with connected(door) as stream:
            await stream.send(post())
            replies.append(await received(stream))

    async def let_it_close() -> None:
        for _ in range(20):
            await checkpoint()
        go.set()

    async with anyio.create_task_group() as group, open_door(stop_s=5.0) as door:
        door.desk.answers["Reserve"] = late
        group.start_soon(call)
        await asked.wait()
        group.start_soon(let_it_close)

    assert [reply.status for reply in replies] == [201]


async def test_a_full_house_says_so_at_once(
    lane: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Busy("4096 calls are in flight", hint="come back in a second", retry_after_s=1)

    monkeypatch.setattr(Desk, "put", full)
    async with open_door() as door, connected(door) as stream:
        for _ in range(2):
            await stream.send(post())
            reply = await received(stream)
            assert (reply.status, reply.headers["Retry-After"]) == (429, "1")

    assert lane == [True, True]


async def test_a_crowd_is_turned_away_unread_and_what_ends_a_hold_is_let_in(
    lane: list[bool],
) -> None:
    crowd = Crowd(burst=1)
    crowd.enter()
    async with open_door(crowd=crowd) as door, connected(door) as stream:
        await stream.send(post(body=b"not JSON"))
        refused = await received(stream)
        await stream.send(post(SETTLE, USED))
        settled = await received(stream)
        await send_slowly(stream, post())
        slow = await received(stream)
        crowd.leave()
        await stream.send(post())
        held = await received(stream)

    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "busy", "1")
    assert (settled.status, slow.status, held.status) == (200, 429, 201)
    assert lane == [True, True, True]
    assert crowd.waiting == 0
