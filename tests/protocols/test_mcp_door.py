"""Who comes in at `/mcp`, and how an exchange ends: by its answer, by a cancel, by the daemon."""

from typing import Any

import anyio
import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from protocols.message import Request
from tests.protocols.door import RESERVE, Door, open_door, reservation

pytestmark = pytest.mark.anyio

DISCOVER = {
    "jsonrpc": "2.0", "id": 1, "method": "server/discover",
    "params": {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }},
}  # fmt: skip
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "server/discover",
}


@pytest.fixture
async def door():  # noqa: ANN201
    async with open_door() as opened:
        yield opened


def client(door: Door, http: httpx2.AsyncClient, mode: Any = "auto") -> Client:
    url = f"{door.listening.url}/mcp"
    return Client(streamable_http_client(url, http_client=http), mode=mode)


def speaking(token: str = "admin") -> httpx2.AsyncClient:
    return httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"})


async def discover(door: Door, **headers: str | None) -> Any:
    return await door.send("POST", "/mcp", json=DISCOVER, headers={**HEADERS, **headers})


async def handshake(door: Door, http: httpx2.AsyncClient) -> tuple[str, dict[str, str]]:
    """Open a session of the older era: where it is, and the headers that belong to it."""
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }  # fmt: skip
    url = f"{door.listening.url}/mcp"
    accept = {"Accept": "application/json, text/event-stream"}
    opened = await http.post(url, json=hello, headers=accept)
    return url, accept | {"Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}


async def test_a_stranger_is_refused_before_anything_is_read(door: Door) -> None:
    assert (await discover(door, Host="evil.example")).code == "misdirected"
    assert (await discover(door, Origin="https://evil.example")).code == "forbidden"
    unknown = await discover(door, Authorization="Bearer nobody")
    assert (unknown.status, unknown.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert (await discover(door, Authorization=None)).status == 401

    answered = await discover(door)
    assert answered.body["result"]["capabilities"]["tools"] is not None


async def test_a_body_beyond_the_limit_and_one_that_is_not_json_are_refused() -> None:
    async with open_door(body_bytes_max=1000) as door:
        large = await door.send("POST", "/mcp", json={"x": "y" * 2000}, headers=HEADERS)
        assert (large.status, large.code) == (413, "too-large")
        plain = await door.send("POST", "/mcp", data=b"hi", headers=HEADERS)
        assert plain.status == 415


async def test_a_session_belongs_to_the_token_that_opened_it(door: Door) -> None:
    listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    async with speaking() as owner, speaking("read") as thief:
        url, session = await handshake(door, owner)
        assert (await thief.post(url, json=listing, headers=session)).status_code == 404
        assert (await owner.post(url, json=listing, headers=session)).status_code == 200


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_that_stops_waiting_ends_its_call_and_nothing_else(
    door: Door, mode: str
) -> None:
    begun, ended = anyio.Event(), anyio.Event()

    async def slow(_: Request[Any]) -> object:
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    door.desk.answers["Reserve"] = slow
    with anyio.fail_after(60):
        async with speaking() as http, client(door, http, mode) as talking:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(talking.call_tool, "budget_reserve", RESERVE)
                await begun.wait()
                tasks.cancel_scope.cancel()
            await ended.wait()
            door.desk.answers["Reserve"] = reservation()
            assert not (await talking.call_tool("budget_reserve", RESERVE)).is_error


async def test_a_bug_is_an_error_of_the_protocol_and_tells_only_a_number(door: Door) -> None:
    door.desk.answers["Reserve"] = ZeroDivisionError("secret figure")
    async with speaking() as http, client(door, http) as talking:
        with pytest.raises(MCPError) as raised:
            await talking.call_tool("budget_reserve", RESERVE)
    assert "secret" not in str(raised.value.error)
    assert raised.value.error.data["incident"]


async def test_an_open_stream_does_not_keep_the_door_from_closing() -> None:
    with anyio.fail_after(60):
        async with speaking() as http, open_door(stop_s=600.0) as door:
            url, session = await handshake(door, http)
            async with http.stream("GET", url, headers=session) as stream:
                assert stream.status_code == 200
