"""`budget mcp` between two pipes and a door: what is cancelled on one side ends on the other."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, BinaryIO

import anyio
import pytest
from anyio import to_thread

from daemon.client import Client
from daemon.client.pump import Pump
from protocols.message import Request
from tests.protocols.door import RESERVE, Door, open_door

pytestmark = pytest.mark.anyio

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
HELLO = {
    "protocolVersion": "2025-11-25", "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}  # fmt: skip


class Pipe:
    """The client's ends of the two pipes."""

    def __init__(self, messages: BinaryIO, answers: BinaryIO) -> None:
        self._messages = messages
        self._answers = answers

    def say(self, method: str, params: dict[str, Any], number: int | None = None) -> None:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
        line = json.dumps(message if number is None else message | {"id": number})
        self._messages.write(line.encode() + b"\n")
        self._messages.flush()

    async def hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(await to_thread.run_sync(self._answers.readline))
        return heard


@asynccontextmanager
async def pumping(door: Door) -> AsyncIterator[Pipe]:
    """A pump in a thread. It ends when the client closes its end, like every program."""
    to_pump, from_pump = os.pipe(), os.pipe()
    with (
        os.fdopen(to_pump[0], "rb") as messages, os.fdopen(from_pump[1], "wb") as answers,
        os.fdopen(from_pump[0], "rb") as heard,
    ):  # fmt: skip
        said = os.fdopen(to_pump[1], "wb")
        url = door.listening.url or ""
        pump = Pump(lambda: Client(url, "admin"), messages, answers)
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(to_thread.run_sync, pump.run)
                with said:
                    yield Pipe(said, heard)


@pytest.mark.parametrize("era", ["newer", "older"])
async def test_a_cancelled_call_ends_at_the_daemon_and_the_pump_goes_on(era: str) -> None:
    begun, ended = anyio.Event(), anyio.Event()

    async def slow(_: Request[Any]) -> object:
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    async with open_door() as door, pumping(door) as pipe:
        door.desk.answers["Reserve"] = slow
        meta = {"_meta": META} if era == "newer" else {}
        if era == "older":
            pipe.say("initialize", HELLO, 0)
            assert (await pipe.hear())["result"]["protocolVersion"] == "2025-11-25"
            pipe.say("notifications/initialized", {})
        pipe.say("tools/call", {"name": "budget_reserve", "arguments": RESERVE} | meta, 1)
        await begun.wait()
        pipe.say("notifications/cancelled", {"requestId": 1} | meta)
        await ended.wait()

        pipe.say("tools/list", meta, 2)
        while (heard := await pipe.hear()).get("id") != 2:
            assert heard["id"] == 1
        assert heard["result"]["tools"]
