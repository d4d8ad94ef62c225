"""A server on loopback that speaks the chat completions API as a script tells it to.

It is the outside world: the assistant reaches it through the `openai` package like any other.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]
USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
Answering = Callable[[Json, web.Request], Awaitable[web.StreamResponse]]


@dataclass
class ChatServer:
    """What it was asked, and what it will do next, turn by turn. The last step is repeated."""

    base_url: str = ""
    script: list[Answering] = field(default_factory=list)
    asked: list[Json] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def will(self, *script: Answering) -> None:
        self.script[:] = script
        self.asked.clear()

    @property
    def prompts(self) -> str:
        """Everything that was ever sent to it."""
        return json.dumps(self.asked)

    def results(self) -> list[Json]:
        """What the tools gave, as the model saw it last."""
        return [
            json.loads(message["content"])
            for message in self.asked[-1]["messages"]
            if message["role"] == "tool"
        ]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        asked = await request.json()
        self.asked.append(asked)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return await step(asked, request)


@asynccontextmanager
async def chat_server() -> AsyncIterator[ChatServer]:
    server = ChatServer()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.base_url = f"http://127.0.0.1:{site.port}/v1"
        yield server
    finally:
        await runner.cleanup()


def says(text: str, usage: Json | None = USAGE) -> Answering:
    """A whole turn in words, streamed in two pieces."""
    middle = len(text) // 2
    pieces = [{"content": text[:middle]}, {"content": text[middle:]}]
    return lambda _, request: stream(request, pieces, "stop", usage)


def calls(*wanted: tuple[str, Any], usage: Json | None = USAGE) -> Answering:
    """A turn that wants tools called. What is no text is written as JSON."""
    tools = [
        {
            "index": place, "id": f"call_{place}", "type": "function",
            "function": {"name": name, "arguments": given if isinstance(given, str)
                         else json.dumps(given)},
        }
        for place, (name, given) in enumerate(wanted)
    ]  # fmt: skip
    return lambda _, request: stream(request, [{"tool_calls": tools}], "tool_calls", usage)


def fails(status: int, text: str = "no") -> Answering:
    async def answer(_: Json, __: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=json.dumps({"error": {"message": text}}))

    return answer


def sends(text: str, kind: str = "text/event-stream") -> Answering:
    """Anything at all, under any type."""

    async def answer(_: Json, __: web.Request) -> web.StreamResponse:
        return web.Response(text=text, content_type=kind)

    return answer


def redirects(place: str) -> Answering:
    async def answer(_: Json, __: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": place})

    return answer


def breaks_off(text: str) -> Answering:
    """Says a part, and closes the connection."""

    async def answer(_: Json, request: web.Request) -> web.StreamResponse:
        response = await begun(request)
        await response.write(event(chunk({"content": text}, None)))
        assert request.transport is not None
        request.transport.abort()
        return response

    return answer


def says_slowly(text: str, wait: Callable[[], Awaitable[None]]) -> Answering:
    """Says it, but does not end its turn until it may."""

    async def answer(_: Json, request: web.Request) -> web.StreamResponse:
        response = await begun(request)
        await response.write(event(chunk({"content": text}, None)))
        await wait()
        await response.write(event(chunk({}, "stop")) + b"data: [DONE]\n\n")
        return response

    return answer


def hangs(wait: Callable[[], Awaitable[None]]) -> Answering:
    """Says nothing until it may."""

    async def answer(_: Json, request: web.Request) -> web.StreamResponse:
        await wait()
        return await stream(request, [{"content": "late"}], "stop", USAGE)

    return answer


async def begun(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    return response


async def stream(
    request: web.Request, pieces: list[Json], reason: str, usage: Json | None
) -> web.StreamResponse:
    response = await begun(request)
    for piece in pieces:
        await response.write(event(chunk(piece, None)))
    await response.write(event(chunk({}, reason)))
    if usage is not None:
        await response.write(event(chunk(None, None) | {"usage": usage}))
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def chunk(delta: Json | None, reason: str | None) -> Json:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    return {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "test",
        "choices": choices,
    }  # fmt: skip


def event(body: Json) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"
