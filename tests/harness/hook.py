"""Somebody who receives webhooks: keeps what came, and answers as it is told to."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from aiohttp import web


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)


@dataclass
class Hook:
    """`status` is what it answers; `came` is set anew with each delivery."""

    url: str = ""
    status: int = 204
    received: list[Received] = field(default_factory=list)
    came: anyio.Event = field(default_factory=anyio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.received.append(Received(dict(request.headers), body))
        self.came.set()
        self.came = anyio.Event()
        return web.Response(status=self.status, headers={"Location": self.url})

    async def until(self, count: int) -> list[Received]:
        while len(self.received) < count:
            await self.came.wait()
        return self.received


@asynccontextmanager
async def hook() -> AsyncIterator[Hook]:
    """Listening on a free port of this machine."""
    receiver = Hook()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.url = f"http://127.0.0.1:{site.port}/hook"
        yield receiver
    finally:
        await runner.cleanup()
