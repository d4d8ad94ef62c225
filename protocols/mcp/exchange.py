"""One HTTP exchange of aiohttp, as the SDK's ASGI side wants to see it."""

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

import anyio
from aiohttp import web

from protocols.http.connection import when_hung_up

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

OURS = frozenset({"connection", "transfer-encoding"})
"""Headers that belong to the connection, which is aiohttp's."""


class Exchange:
    """A request that was read and an answer that is yet to come.

    The body goes over in one piece. After it `receive` waits: it answers `http.disconnect` when
    the answer is out or the client has hung up, never before.
    """

    def __init__(self, request: web.Request, body: bytes, **facts: object) -> None:
        self.request = request
        self.facts = facts
        self.response: web.StreamResponse | None = None
        self._body: bytes | None = body
        self._over = anyio.Event()

    async def through(self, app: App) -> web.StreamResponse:
        """Let the application answer. A client that left is nobody's error."""
        with when_hung_up(self.request, self._over.set):
            await app(self._scope(), self._receive, self._send)
        assert self._over.is_set(), "the application gave no whole answer"
        return self.response or web.Response()

    def _scope(self) -> Message:
        request = self.request
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.scheme,
            "path": request.path,
            "raw_path": request.path.encode(),
            "query_string": request.query_string.encode(),
            "root_path": "",
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
                for name, value in request.headers.items()
            ],
            **self.facts,
        }

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        """Write a part of the answer; what is written after the client left goes nowhere."""
        with suppress(OSError):
            if message["type"] == "http.response.start":
                await self._begin(message)
                return
            assert self.response is not None, "the body before the head"
            if message.get("body"):
                await self.response.write(message["body"])
            if not message.get("more_body", False):
                await self.response.write_eof()
                self._over.set()

    async def _begin(self, message: Message) -> None:
        self.response = web.StreamResponse(status=message["status"])
        for name, value in message.get("headers", ()):
            if (text := name.decode("latin-1")) not in OURS:
                self.response.headers.add(text, value.decode("latin-1"))
        await self.response.prepare(self.request)
