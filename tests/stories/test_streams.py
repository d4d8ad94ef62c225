"""Events as they are heard: by server-sent events and websocket, live, resumed, filtered, slow."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import anyio
import pytest

from daemon.journal.verify import verify
from tests.daemon_process import PREFIX, Daemon, running
from tests.stories.words import CALL

pytestmark = pytest.mark.anyio

AWAY = 10_000
SUBSCRIBERS = 1_000
CONFIG = """
[limits]
slow_s = 1.0
heartbeat_s = 3.0
connections = 2000
streams_each = 1000

[[token]]
name = "apollo"
role = "read"
components = ["apollo"]

[[policy]]
name = "closed"
match = { component = "refused-*" }
limit = { calls = 0 }
period = "total"
"""
WITHIN_S = 120


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("home"), CONFIG) as started:
        yield started
        assert started.stop() == 0
        assert "internal error" not in started.said
        assert verify(started.data_dir).problems == []


def refuse(daemon: Daemon, count: int, component: str = "refused-1") -> None:
    """So many refusals, each of them an event."""
    one = {"operation": "reserve", "body": CALL | {"component": component}}
    for _ in range(count // 1000):
        daemon.post("/batch", {"operations": [one] * 1000})
    if count % 1000:
        daemon.post("/batch", {"operations": [one] * (count % 1000)})


def set_policy(daemon: Daemon, name: str) -> None:
    policy = {"name": name, "limit": {"calls": 9}, "period": "daily"}
    daemon.post("/policies", policy | {"match": {"component": "nobody"}})


def head(daemon: Daemon) -> int:
    seq: int = daemon.get("/outbox?limit=1").body["last_seq"]
    return seq


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    async for line in answer.content:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


async def take(answer: aiohttp.ClientResponse, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async for event in events(answer):
        found.append(event)
        if len(found) == count:
            break
    return found


@asynccontextmanager
async def session(
    daemon: Daemon, token: str | None = None, connections: int = 100
) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {token or daemon.token}"}
    connector = aiohttp.TCPConnector(limit=connections)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        daemon.told["url"], headers=headers, connector=connector, timeout=timeout
    ) as made:
        with anyio.fail_after(WITHIN_S):
            yield made


async def test_an_event_is_a_cloudevent_and_its_number_is_what_resumes(daemon: Daemon) -> None:
    seq = head(daemon)
    set_policy(daemon, "one")
    async with session(daemon) as http, http.get(f"{PREFIX}/events?after={seq}") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        (event,) = await take(answer, 1)
    assert (event["specversion"], event["id"]) == ("1.0", f"evt_{seq + 1:016d}")
    assert (event["type"], event["subject"]) == ("dev.tekton.budget.policy.changed.v1", "one")
    assert event["data"]["entry_id"].startswith("ent_")
    listed = daemon.get(f"/outbox?cursor={seq}").body["items"]
    assert listed[0] == event


async def test_who_was_away_for_ten_thousand_events_has_every_one_once_in_order(
    daemon: Daemon,
) -> None:
    begin = head(daemon)
    refuse(daemon, 1)
    async with session(daemon) as http:
        async with http.get(f"{PREFIX}/events?after={begin}") as answer:
            (seen,) = await take(answer, 1)
        await anyio.to_thread.run_sync(refuse, daemon, AWAY)
        headers = {"Last-Event-ID": str(seen["seq"])}
        async with http.get(f"{PREFIX}/events", headers=headers) as answer:
            missed = await take(answer, AWAY)
        assert [event["seq"] for event in missed] == list(range(begin + 2, begin + 2 + AWAY))
        async with http.ws_connect(f"/ws/budget/updates?after={seen['seq']}") as socket:
            told = [message["seq"] for message in await letters(socket, AWAY)]
    assert told == [event["seq"] for event in missed]


async def letters(
    socket: aiohttp.ClientWebSocketResponse, count: int, kind: str = ""
) -> list[dict[str, Any]]:
    """So many messages that carry an event."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        message = await socket.receive_json()
        if "seq" in message and message["type"].startswith(kind):
            found.append(message)
    return found


async def test_a_websocket_speaks_tekton_s_envelope(daemon: Daemon) -> None:
    async with session(daemon) as http, http.ws_connect("/ws/budget/updates") as socket:
        hello = await socket.receive_json()
        assert hello["topic"] == "budget_events"
        assert hello["payload"] == {"message": "Connected to Budget WebSocket Server"}
        set_policy(daemon, "two")
        (told,) = await letters(socket, 1)
        assert (told["type"], told["topic"]) == ("policy_update", "budget_events")
        assert told["payload"]["budget_id"] == "default"
        assert told["payload"]["event"]["subject"] == "two"

        topic = {"topic": "allocation_updates"}
        await socket.send_json({"type": "subscription", "topic": "", "payload": topic})
        answer = await said(socket, "subscription")
        assert answer["payload"] == {"success": True, "topic": "allocation_updates"}
        made = daemon.post(
            "/allocations", {"component": "a", "context_id": "c", "tokens": 100}
        ).body
        (told,) = await letters(socket, 1)
        assert told["payload"]["allocation_id"] == made["allocation_id"]

        for wrong in ("no json", '{"type": "dance", "payload": {}}', '{"payload": 1}'):
            await socket.send_str(wrong)
            assert (await said(socket, "error"))["topic"] == "error"


async def said(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = await socket.receive_json()
        if message["type"] == kind:
            return message


async def test_a_silence_is_filled_with_heartbeats(daemon: Daemon) -> None:
    async with session(daemon) as http:
        async with http.ws_connect("/ws") as socket:
            await said(socket, "heartbeat")
        async with http.get(f"{PREFIX}/events") as answer:
            assert await answer.content.readuntil(b": still here\n")


async def test_without_a_header_a_websocket_waits_for_who_it_is(daemon: Daemon) -> None:
    async with aiohttp.ClientSession(daemon.told["url"]) as http:
        with anyio.fail_after(WITHIN_S):
            async with http.ws_connect("/ws/budget/alerts") as socket:
                key = {"api_key": daemon.token}
                await socket.send_json({"type": "authentication", "topic": "", "payload": key})
                assert (await said(socket, "authentication"))["payload"] == {"success": True}
            async with http.ws_connect("/ws/budget/alerts") as socket:
                key = {"api_key": "wrong"}
                await socket.send_json({"type": "authentication", "topic": "", "payload": key})
                while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                    pass
                assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1008)
            async with http.get(f"{PREFIX}/events") as answer:
                assert answer.status == 401


async def test_a_token_hears_of_its_own_components_and_of_the_house(daemon: Daemon) -> None:
    seq = head(daemon)
    for component in ("apollo", "rhetor"):
        body = {"component": component, "context_id": "c", "tokens": 100}
        daemon.post("/allocations", body)
    set_policy(daemon, "three")
    async with (
        session(daemon, daemon.token_of("apollo")) as http,
        http.get(f"{PREFIX}/events?after={seq}") as answer,
    ):
        told = await take(answer, 2)
    assert [event["component"] for event in told] == ["apollo", ""]


@pytest.mark.parametrize(
    ("query", "count"), [("type=allocation.*", 1), ("component=b", 2), ("type=policy.changed", 1)]
)
async def test_a_reader_chooses(daemon: Daemon, query: str, count: int) -> None:
    seq = head(daemon)
    daemon.post("/allocations", {"component": "b", "context_id": "c", "tokens": 100})
    set_policy(daemon, "four")
    place = f"{PREFIX}/events?after={seq}&{query}"
    async with session(daemon) as http, http.get(place) as answer:
        assert len(await take(answer, count)) == count
    kind = dict([query.split("=")]).get("type")
    listed = daemon.get(f"/outbox?cursor={seq}&type={kind}").body["items"] if kind else ()
    assert len(listed) in (0, count)


@pytest.mark.parametrize(
    ("field", "value"), [("after", "999999999"), ("after", "x"), ("hue", "red"), ("type", "../x")]
)
async def test_what_cannot_be_asked_for_is_refused_in_words(
    daemon: Daemon, field: str, value: str
) -> None:
    async with session(daemon) as http:
        for path in (f"{PREFIX}/events", "/ws"):
            async with http.get(f"{path}?{field}={value}") as answer:
                assert answer.status == 422
                assert (await answer.json())["errors"][0]["field"] == field


async def test_a_slow_reader_is_closed_with_1013_and_others_are_not(daemon: Daemon) -> None:
    seq = head(daemon)
    async with session(daemon) as http:
        slow = await http.ws_connect(f"/ws/budget/updates?after={seq}", receive_timeout=None)
        slow._response.connection.protocol.pause_reading()  # type: ignore[union-attr]
        async with (
            http.ws_connect(f"/ws/budget/updates?after={seq}") as quick,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(anyio.to_thread.run_sync, refuse, daemon, AWAY)
            assert len(await letters(quick, AWAY)) == AWAY
        slow._response.connection.protocol.resume_reading()  # type: ignore[union-attr]
        told = []
        while (message := await slow.receive()).type is aiohttp.WSMsgType.TEXT:
            told.append(json.loads(message.data).get("seq"))
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == aiohttp.WSCloseCode.TRY_AGAIN_LATER
        last = max(number for number in told if number is not None)
        async with http.ws_connect(f"/ws/budget/updates?after={last}") as again:
            rest = await letters(again, seq + AWAY - last)
    assert [message["seq"] for message in rest] == list(range(last + 1, seq + AWAY + 1))


async def test_a_thousand_subscribers_all_hear_while_calls_go_on(daemon: Daemon) -> None:
    heard = 0
    ready = 0
    all_ready = anyio.Event()
    async with session(daemon, connections=0) as http:

        async def subscribe() -> None:
            nonlocal heard, ready
            async with http.get(f"{PREFIX}/events?type=policy.*") as answer:
                ready += 1
                if ready == SUBSCRIBERS:
                    all_ready.set()
                (event,) = await take(answer, 1)
                assert event["subject"] == "five"
                heard += 1

        async with anyio.create_task_group() as tasks:
            for _ in range(SUBSCRIBERS):
                tasks.start_soon(subscribe)
            await all_ready.wait()
            set_policy(daemon, "five")
            for _ in range(20):
                body = CALL | {"component": "busy"}
                async with http.post(f"{PREFIX}/reservations", json=body) as answer:
                    assert answer.status == 201
    assert heard == SUBSCRIBERS


async def test_readers_may_vanish_in_the_middle_of_a_sentence(daemon: Daemon) -> None:
    """The daemon does not take it for a bug: the end of this file looks into its log."""
    refuse(daemon, 500)
    seq = head(daemon)
    async with session(daemon) as http:
        for _ in range(20):
            socket = await http.ws_connect(f"/ws?after={seq - 500}")
            await socket.receive_json()
            socket._response.connection.transport.abort()  # type: ignore[union-attr]
            answer = await http.get(f"{PREFIX}/events?after={seq - 500}")
            await take(answer, 1)
            answer.connection.transport.abort()  # type: ignore[union-attr]
        set_policy(daemon, "six")
        async with http.get(f"{PREFIX}/events?after={seq}") as answer:
            assert (await take(answer, 1))[0]["subject"] == "six"


async def test_a_token_that_ends_takes_its_websocket_along(daemon: Daemon) -> None:
    made = daemon.post("/tokens", {"name": "visitor", "role": "read"}).body
    async with session(daemon, made["token"]) as http, http.ws_connect("/ws") as socket:
        await socket.receive_json()
        assert daemon.delete("/tokens/visitor").status == 200
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_a_revoked_token_hears_nothing_more(daemon: Daemon) -> None:
    made = daemon.post("/tokens", {"name": "guest", "role": "read"}).body
    async with session(daemon, made["token"]) as http, http.get(f"{PREFIX}/events") as answer:
        await answer.content.readuntil(b"retry: 2000\n\n")
        assert daemon.delete("/tokens/guest").status == 200
        assert [event async for event in events(answer)] == []
