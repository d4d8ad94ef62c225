"""The door: what it lets in, what it passes on, how it answers."""

import logging
import os
import socket
import stat
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest
from aiohttp import web

from actors.alerts.feed import LiveFeed
from protocols.errors import Busy, Denied, HoldEnded, Unavailable
from protocols.http import Crowd, DoorSettings, Streams, add_metrics, application, serve
from protocols.ledger import Record, Reserve, Settle
from protocols.mcp import McpDoor
from protocols.mcp.tekton.routes import Bridge
from protocols.operations import NOT_DERIVED, OPERATIONS, PREFIX
from protocols.policy.messages import Balances, PolicyShown, SetPolicy, ShowBalances
from protocols.policy.policy import Policy
from protocols.tekton.door import TektonDoor
from protocols.tekton.vocabulary import Vocabulary
from tests.protocols.door import (
    ADMIN,
    RESERVATION_ID,
    RESERVE,
    Desk,
    Door,
    Health,
    authenticate,
    booked,
    open_door,
    received,
    reservation,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as door:
        yield door


# What goes in, and what comes out


async def test_a_reservation_goes_to_its_components_ledger_and_comes_back_as_json(
    door: Door,
) -> None:
    answer = await door.post("/reservations", RESERVE)

    assert answer.status == 201
    assert answer.body == asdict(reservation())
    assert answer.headers["Content-Type"] == "application/json"
    ((to, request, caller),) = door.desk.asked
    assert to == "ledger:apollo"
    assert request == Reserve(component="apollo", model="claude-haiku-4-5", input_tokens=100)
    assert (caller.name, caller.key) == ("root", None)


async def test_a_field_of_the_path_joins_those_of_the_body(door: Door) -> None:
    answer = await door.post(f"/reservations/{RESERVATION_ID}/settle", {"usage": {"input": 7}})

    assert (answer.status, answer.body) == (200, asdict(booked()))
    ((to, request, _),) = door.desk.asked
    assert to == f"hold:{RESERVATION_ID}"
    assert request == Settle(reservation_id=RESERVATION_ID, usage={"input": 7})


async def test_a_post_that_needs_no_fields_needs_no_body(door: Door) -> None:
    door.desk.answers["Release"] = HoldEnded("it was settled", status_now="settled")

    answer = await door.send("POST", f"{PREFIX}/reservations/{RESERVATION_ID}/release")

    assert (answer.status, answer.code) == (409, "hold-ended")
    assert answer.body["status_now"] == "settled"


async def test_a_query_is_read_as_the_types_it_stands_for(door: Door) -> None:
    door.desk.answers["ShowBalances"] = Balances(items=[])

    answer = await door.get(f"{PREFIX}/balances?component=apollo&limit=5")

    assert (answer.status, answer.body) == (200, {"items": [], "next_cursor": None})
    ((_, request, _),) = door.desk.asked
    assert request == ShowBalances(component="apollo", limit=5)


async def test_money_goes_out_as_it_came_in(door: Door) -> None:
    async def show(request: SetPolicy) -> PolicyShown:
        fields = {name: getattr(request, name) for name in Policy.model_fields}
        return PolicyShown(Policy.model_construct(**fields), 1, "root", "2026-11-23T12:00:00.000Z")

    door.desk.answers["SetPolicy"] = show
    policy = {"name": "daily", "limit": {"usd": "20.50"}, "period": "daily"}

    answer = await door.post("/policies", policy)

    assert answer.status == 201
    assert answer.body["policy"]["limit"]["usd"] == "20.500000000"


async def test_text_may_speak_of_nul_and_have_colons(door: Door) -> None:
    """An escaped backslash is no escape, and a colon in a string is no second name."""
    text = r'{"component": "apollo", "model": "m", "input_text": "a \\u0000 : b"}'

    answer = await door.send(
        "POST", f"{PREFIX}/reservations", data=text, headers={"Content-Type": "application/json"}
    )

    assert answer.status == 201
    ((_, request, _),) = door.desk.asked
    assert isinstance(request, Reserve)
    assert request.input_text == r"a \u0000 : b"


async def test_a_body_may_come_in_chunks_and_name_its_charset(door: Door) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"component": "apollo", '
        await anyio.lowlevel.checkpoint()
        yield b'"model": "m"}'

    answer = await door.send(
        "POST",
        f"{PREFIX}/reservations",
        data=chunks(),
        headers={"Content-Type": "application/json; charset=UTF-8"},
    )

    assert answer.status == 201


async def test_who_expects_to_be_told_to_go_on_is_told(door: Door) -> None:
    answer = await door.send("POST", f"{PREFIX}/reservations", json=RESERVE, expect100=True)

    assert answer.status == 201


async def never() -> bytes:
    raise NotImplementedError


async def test_every_row_of_the_table_and_nothing_else_has_a_route(door: Door) -> None:
    app = application(door.desk, door.desk.put, authenticate, door.health, Crowd(), DoorSettings())
    McpDoor(door.desk, authenticate, DoorSettings(), "0", LiveFeed()).add_routes(app.router)
    Bridge(door.desk, authenticate, DoorSettings(), "0").add_routes(app.router)
    TektonDoor(authenticate, door.health, DoorSettings(), lambda: None).add_routes(app.router)
    Streams(door.desk, authenticate, LiveFeed(), DoorSettings(), lambda: 0).add_to(app)
    Vocabulary(door.desk, authenticate, DoorSettings(), lambda: 0).add_routes(app)
    add_metrics(app.router, authenticate, never)
    routes = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }

    derived = {(operation.method, PREFIX + operation.path) for operation in OPERATIONS}
    assert routes == derived | set(NOT_DERIVED)


# Whom it lets in


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:8013", "tekton"])
async def test_our_own_names_are_let_in_with_any_port(host: str) -> None:
    async with open_door(hosts=frozenset({"tekton"})) as door:
        answer = await door.send("GET", "/health", headers={"Host": host})

    assert answer.status == 200


@pytest.mark.parametrize("path", ["/health", f"{PREFIX}/reservations", "/nothing"])
async def test_host_and_origin_are_checked_before_route_and_token(door: Door, path: str) -> None:
    stranger = {"Host": "evil.example", "Authorization": None}
    page = {"Origin": "https://evil.example", "Authorization": None}

    assert (await door.send("POST", path, headers=stranger)).status == 421
    assert (await door.send("POST", path, headers=page)).status == 403


async def test_a_configured_origin_and_our_own_are_let_in() -> None:
    async with open_door(origins=frozenset({"https://tekton.example"})) as door:
        for origin in ("https://tekton.example", door.listening.url):
            answer = await door.send("GET", "/health", headers={"Origin": origin})
            assert answer.status == 200


async def test_no_answer_allows_another_origin(door: Door) -> None:
    answer = await door.send("GET", "/health")

    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert answer.headers["Server"] == "budget"


async def test_a_missing_token_says_how_to_bring_one(door: Door) -> None:
    answer = await door.send("GET", f"{PREFIX}/balances", headers={"Authorization": None})

    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    ("token", "path", "status"),
    [
        ("propose", "/check", 403),
        ("read", "/check", 422),
        ("read", "/reservations", 403),
        ("report", "/reservations", 422),
        ("report", "/policies", 403),
        ("admin", "/policies", 422),
    ],
)
async def test_a_role_may_do_what_those_below_it_may(
    door: Door, token: str, path: str, status: int
) -> None:
    answer = await door.post(path, {}, Authorization=f"Bearer {token}")

    assert answer.status == status


async def test_the_role_is_judged_before_the_body_is_looked_at(door: Door) -> None:
    answer = await door.send(
        "POST", f"{PREFIX}/policies", data=b"x", headers={"Authorization": "Bearer read"}
    )

    assert (answer.status, answer.body["needs"]) == (403, "admin")


async def test_a_scoped_token_acts_for_its_components_only(door: Door) -> None:
    report = {"Authorization": "Bearer report"}

    assert (await door.post("/reservations", RESERVE, **report)).status == 201
    other = await door.post("/reservations", RESERVE | {"component": "rhetor"}, **report)

    assert (other.status, other.code) == (403, "forbidden")
    assert len(door.desk.asked) == 1


async def test_a_scoped_token_must_name_the_component_it_looks_at(door: Door) -> None:
    door.desk.answers["ShowBalances"] = Balances(items=[])

    refused = await door.get(f"{PREFIX}/balances", "scoped")
    allowed = await door.get(f"{PREFIX}/balances?component=rhetor", "scoped")

    assert (refused.status, allowed.status) == (403, 200)
    assert "component=apollo or rhetor" in refused.body["hint"]


# What it says of wrong fields


async def test_all_that_is_wrong_is_told_at_once_with_a_remedy(door: Door) -> None:
    answer = await door.post(
        "/reservations",
        {"component": "a b", "modle": "m", "ttl_s": 0, "usd": 1, "metadata": {"a": 1.5}},
    )

    remedies = {error["field"]: error["remedy"] for error in answer.body["errors"]}
    assert answer.status == 422
    assert remedies == {
        "component": "write a string that matches ^[A-Za-z0-9._:/@-]{1,128}$",
        "model": "add it",
        "modle": "did you mean model?",
        "ttl_s": "write 1 or more",
        "usd": 'must be a decimal string such as "0.25", not int',
        "metadata.a": "write a string in quotes",
    }


async def test_a_wrong_name_further_down_is_guessed_too(door: Door) -> None:
    answer = await door.post("/policies", {"name": "a", "limit": {"usdd": "1"}, "period": "daily"})

    (error,) = [error for error in answer.body["errors"] if error["field"] == "limit.usdd"]
    assert error["remedy"] == "did you mean usd?"


async def test_a_name_like_no_other_is_told_the_names_there_are(door: Door) -> None:
    answer = await door.post("/reservations", RESERVE | {"zzzzzz": 1})

    assert "known: component, " in answer.body["errors"][0]["remedy"]


async def test_a_wrong_query_key_is_guessed(door: Door) -> None:
    answer = await door.get(f"{PREFIX}/balances?componet=apollo")

    assert answer.body["errors"][0]["remedy"] == "did you mean component?"


async def test_what_the_caller_wrote_is_not_repeated(door: Door) -> None:
    answer = await door.post("/reservations", RESERVE | {"model": "<script>", "ttl_s": "secret"})

    assert "script" not in str(answer.body)
    assert "secret" not in str(answer.body)


async def test_a_million_wrong_names_do_not_make_a_million_errors(door: Door) -> None:
    answer = await door.post("/reservations", {f"field{n}": 1 for n in range(50_000)})

    assert answer.status == 422
    assert len(answer.body["errors"]) == 100


# Idempotency-Key


async def test_a_key_is_bound_to_operation_path_and_body(door: Door) -> None:
    settle = f"/reservations/{RESERVATION_ID}/settle"
    other = f"/reservations/{RESERVATION_ID[:-1]}1/settle"
    for path, body in (
        (settle, {"usage": {"input": 1}}),
        (settle, {"usage": {"input": 1}}),
        (settle, {"usage": {"input": 2}}),
        (other, {"usage": {"input": 1}}),
        ("/reservations", RESERVE),
    ):
        await door.post(path, body, **{"Idempotency-Key": "k-1"})

    callers = [caller for _, _, caller in door.desk.asked]
    first, again, *others = [caller.fingerprint for caller in callers]
    assert {caller.key for caller in callers} == {"k-1"}
    assert first == again
    assert len({first, *others}) == 4


async def test_the_header_is_ignored_where_nothing_is_remembered(door: Door) -> None:
    door.desk.answers["Check"] = HoldEnded("any answer will do")

    await door.post("/check", RESERVE, **{"Idempotency-Key": "k 1"})

    ((_, _, caller),) = door.desk.asked
    assert caller.key is None


# Refusals


async def test_a_spent_budget_is_402_and_not_to_be_retried(door: Door) -> None:
    door.desk.answers["Reserve"] = Denied("spent", hint="wait", policy="daily", left="0.000000000")

    answer = await door.post("/reservations", RESERVE)

    assert answer.status == 402
    assert answer.headers["x-should-retry"] == "false"
    assert "Retry-After" not in answer.headers
    assert answer.body == {
        "type": "urn:budget:denied",
        "title": "The budget does not allow this call",
        "status": 402,
        "code": "denied",
        "detail": "spent",
        "hint": "wait",
        "policy": "daily",
        "left": "0.000000000",
    }


@pytest.mark.parametrize(
    ("error", "status", "seconds"),
    [
        (Busy("full"), 429, "1"),
        (Busy("full", retry_after_s=2.5), 429, "3"),
        (Unavailable("starting", outcome="not-applied"), 503, "1"),
    ],
)
async def test_what_passes_by_itself_says_when(
    door: Door, error: Exception, status: int, seconds: str
) -> None:
    door.desk.answers["Reserve"] = error

    answer = await door.post("/reservations", RESERVE)

    assert (answer.status, answer.headers["Retry-After"]) == (status, seconds)


async def test_a_wrong_method_is_told_the_right_ones(door: Door) -> None:
    answer = await door.send("DELETE", f"{PREFIX}/reservations")

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST")


async def test_a_bug_is_logged_under_the_incident_that_the_caller_sees(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    door.desk.answers["Reserve"] = ZeroDivisionError("the secret inside")

    answer = await door.post("/reservations", RESERVE)

    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (answer.status, answer.code) == (500, "internal")
    assert answer.body["outcome"] == "unknown"
    assert answer.body["incident"] == record.__dict__["incident"]
    assert record.__dict__["where"] == "POST /api/v1/reservations"
    assert "secret" not in str(answer.body)
    assert "the secret inside" in caplog.text


async def test_a_refusal_keeps_the_connection_open(door: Door) -> None:
    request = b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with await anyio.connect_tcp("127.0.0.1", door.listening.port or 0) as stream:
        await stream.send(request % b"/nothing")
        assert (await received(stream)).status == 404
        await stream.send(request % b"/health")
        assert (await received(stream)).status == 200


# Bodies that do not arrive


POSTING = (
    b"POST /api/v1/reservations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n"
    b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)


async def test_framing_that_breaks_later_is_a_body_that_never_comes() -> None:
    async with (
        open_door(body_s=0.05) as door,
        await anyio.connect_tcp("127.0.0.1", door.listening.port or 0) as stream,
    ):
        await stream.send(POSTING + b"1\r\n{\r\n")
        await anyio.wait_all_tasks_blocked()
        await stream.send(b"zz\r\n")
        answer = await received(stream)

    assert (answer.status, answer.code) == (408, "body-timeout")
    assert not door.desk.asked


async def test_a_client_that_leaves_before_its_body_is_there_has_asked_nothing(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    async with await anyio.connect_tcp("127.0.0.1", door.listening.port or 0) as stream:
        await stream.send(POSTING + b"1\r\n{\r\n")
        await anyio.wait_all_tasks_blocked()
    await anyio.wait_all_tasks_blocked()

    assert (await door.get("/health")).status == 200
    assert not door.desk.asked
    assert not caplog.records


# Routes written by hand


async def test_the_guard_is_before_routes_written_by_hand_too() -> None:
    async def moved(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/health")

    async def large(request: web.Request) -> web.StreamResponse:
        raise web.HTTPRequestEntityTooLarge(request.client_max_size)

    async def broken(_: web.Request) -> web.StreamResponse:
        raise KeyError("inside")

    pages = {"/moved": moved, "/large": large, "/broken": broken}
    async with open_door(pages) as door:
        assert (await door.get("/moved")).body["component"] == "budget"
        assert (await door.get("/large")).code == "too-large"
        assert (await door.get("/broken")).code == "internal"
        for path in pages:
            answer = await door.send("GET", path, headers={"Host": "evil.example"})
            assert answer.status == 421


async def test_a_bug_in_the_midst_of_an_answer_cuts_it_off() -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"{")
        raise KeyError("inside")

    async with open_door({"/stream": stream}) as door:
        with pytest.raises(aiohttp.ClientError):
            await door.get("/stream")
        assert (await door.get("/health")).status == 200


# Batch


async def test_each_operation_of_a_batch_has_its_own_outcome(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    door.desk.answers |= {"Record": Denied("spent"), "Check": ZeroDivisionError("inside")}
    record = {"component": "apollo", "model": "m", "usage": {}}
    settle = {"reservation_id": RESERVATION_ID, "usage": {}}
    items = [
        {"operation": "reserve", "body": RESERVE, "idempotency_key": "k-1"},
        {"operation": "settle", "body": settle},
        {"operation": "record", "body": record},
        {"operation": "check", "body": RESERVE},
        {"operation": "reserve", "body": {"component": "apollo"}},
        {"operation": "reserve", "body": RESERVE, "idempotency_key": ""},
        {"operation": "show_policy", "body": {"name": "daily"}},
    ]

    answer = await door.post("/batch", {"operations": items})

    results = answer.body["results"]
    assert answer.status == 200
    assert [result["status"] for result in results] == [201, 200, 402, 500, 422, 422, 422]
    assert results[0]["body"] == asdict(reservation())
    assert results[2]["body"]["code"] == "denied"
    assert "inside" not in str(results[3])
    assert "inside" in caplog.text
    assert [caller.key for _, _, caller in door.desk.asked] == ["k-1", None, None, None]


async def test_a_batch_asks_for_all_before_any_is_answered(door: Door) -> None:
    """So that they share a commit."""
    waiting, all_there = 0, anyio.Event()

    async def answer_last(_: Any) -> Any:
        nonlocal waiting
        waiting += 1
        if waiting == 1000:
            all_there.set()
        await all_there.wait()
        return reservation()

    door.desk.answers["Reserve"] = answer_last
    items = [{"operation": "reserve", "body": RESERVE}] * 1000

    with anyio.fail_after(5):
        answer = await door.post("/batch", {"operations": items})

    assert {result["status"] for result in answer.body["results"]} == {201}


async def test_a_batch_gives_no_more_rights_than_its_token(door: Door) -> None:
    items = [
        {"operation": "set_budget", "body": {"name": "tekton"}},
        {"operation": "reserve", "body": RESERVE | {"component": "rhetor"}},
        {"operation": "reserve", "body": RESERVE},
    ]

    answer = await door.post("/batch", {"operations": items}, Authorization="Bearer report")

    assert [result["status"] for result in answer.body["results"]] == [403, 403, 201]


async def test_a_batch_beyond_its_limit_is_refused_whole() -> None:
    async with open_door(batch_operations_max=2) as door:
        answer = await door.post(
            "/batch", {"operations": [{"operation": "reserve", "body": RESERVE}] * 3}
        )

    assert (answer.status, answer.body["errors"][0]["remedy"]) == (422, "send at most 2 at a time")
    assert not door.desk.asked


# The house


async def test_health_is_open_and_says_only_how_it_is(door: Door) -> None:
    door.health.how = "unhealthy"

    answer = await door.send("GET", "/health", headers={"Authorization": None})

    assert answer.status == 200
    assert answer.body == {"status": "unhealthy", "component": "budget", "version": "1.2.3"}


async def test_ready_is_a_problem_until_it_is_ready(door: Door) -> None:
    assert (await door.get("/ready")).body == {"status": "ready"}

    door.health.why = "the journal is being read"
    answer = await door.get("/ready")

    assert (answer.status, answer.body["outcome"]) == (503, "not-applied")
    assert "the journal is being read" in answer.body["detail"]


async def test_status_has_the_details_for_those_who_may_read(door: Door) -> None:
    anybody = await door.send("GET", "/status", headers={"Authorization": None})
    assert anybody.body == {"status": "running", "health": "healthy"}
    assert (await door.get("/status", "read")).body["uptime_s"] == 7
    assert (await door.get("/status", "propose")).status == 403


async def test_version_and_openapi_are_open(door: Door) -> None:
    for path in ("/version", f"{PREFIX}/openapi.json"):
        answer = await door.send("GET", path, headers={"Authorization": None})
        assert answer.status == 200


# Listening


async def test_a_unix_socket_and_tcp_are_one_door_and_the_socket_is_private(
    tmp_path: Path,
) -> None:
    path = tmp_path / "budget.sock"
    umask = os.umask(0)
    try:
        async with (
            open_door(socket=path) as door,
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session,
        ):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert (await door.get("/health")).status == 200
            async with session.get("http://localhost/health") as answer:
                assert answer.status == 200
            async with session.get("http://evil.example/health") as answer:
                assert answer.status == 421
    finally:
        os.umask(umask)
    assert not path.exists()


@pytest.mark.parametrize("head", [b"HTTP/1.1\r\nHost:", b"HTTP/1.0"])
async def test_a_unix_socket_asks_for_no_host(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "budget.sock"
    async with (
        open_door(host=None, socket=path),
        await anyio.connect_unix(path) as stream,
    ):
        await stream.send(b"GET /health %b\r\n\r\n" % head)
        assert (await received(stream)).status == 200


async def test_the_socket_of_a_dead_daemon_is_taken_over_that_of_a_living_one_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "budget.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with open_door(socket=path) as door:
        with pytest.raises(OSError, match="another process listens here"):
            async with open_door(socket=path):
                pass
        assert path.is_socket()
        assert (await door.get("/health")).status == 200


async def test_a_port_in_use_is_an_oserror(door: Door) -> None:
    with pytest.raises(OSError, match="address already in use"):
        async with open_door(port=door.listening.port):
            pass


async def test_closing_lets_what_is_in_flight_finish() -> None:
    asked, go_on = anyio.Event(), anyio.Event()

    async def slow(_: Any) -> Any:
        asked.set()
        await go_on.wait()
        return booked()

    desk, statuses = Desk({"Record": slow}), []
    settings = DoorSettings(port=0, stop_s=5)
    record = Record(component="apollo", model="m", usage={}).model_dump(exclude_none=True)

    async def ask(url: str) -> None:
        async with (
            aiohttp.ClientSession(base_url=url, headers=ADMIN) as session,
            session.post(f"{PREFIX}/usage", json=record) as answer,
        ):
            statuses.append(answer.status)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            app = application(desk, desk.put, authenticate, Health(), Crowd(), settings)
            async with serve(app, settings) as listening:
                group.start_soon(ask, listening.url or "")
                await asked.wait()
                group.start_soon(_set_when_idle, go_on)

    assert statuses == [201]


async def _set_when_idle(event: anyio.Event) -> None:
    await anyio.wait_all_tasks_blocked()
    event.set()
