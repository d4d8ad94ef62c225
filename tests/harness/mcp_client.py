"""The official client against a real daemon: over HTTP and over `budget mcp`, in both eras."""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import anyio
import httpx2
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult

from tests.daemon_process import Daemon

WITHIN_S = 90.0
"""A bound and no measure: a daemon on a busy machine may take long to import what it needs."""


@dataclass(frozen=True)
class Way:
    """How a client comes: over which transport, speaking which era of the protocol."""

    transport: Literal["http", "stdio"]
    mode: Literal["auto", "legacy"]
    version: str

    def __str__(self) -> str:
        return f"{self.transport}-{self.version}"


WAYS = [
    Way("http", "auto", "2026-07-28"),
    Way("http", "legacy", "2025-11-25"),
    Way("stdio", "auto", "2026-07-28"),
    Way("stdio", "legacy", "2025-11-25"),
]


class Person:
    """Somebody behind the client, who answers what is asked and remembers it."""

    def __init__(self, *, confirm: bool) -> None:
        self.confirm = confirm
        self.asked: list[str] = []

    async def __call__(self, _: object, params: ElicitRequestParams) -> ElicitResult:
        self.asked.append(params.message)
        if not self.confirm:
            return ElicitResult(action="decline")
        return ElicitResult(action="accept", content={"confirm": True})


@asynccontextmanager
async def connected(
    daemon: Daemon, way: Way, token: str | None = None, **options: Any
) -> AsyncIterator[Client]:
    """A client that has shaken hands. All that is done with it has to end in time."""
    with anyio.fail_after(WITHIN_S):
        async with AsyncExitStack() as stack:
            server: Any
            if way.transport == "http":
                headers = {"Authorization": f"Bearer {token or daemon.token}"}
                http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers))
                server = streamable_http_client(f"{daemon.told['url']}/mcp", http_client=http)
            else:
                server = pump(daemon, token)
            client = Client(server, mode=way.mode, **options)
            yield await stack.enter_async_context(client)


def pump(daemon: Daemon, token: str | None = None) -> StdioServerParameters:
    where = ["--data-dir", str(daemon.data_dir)]
    environ = daemon.environ() | ({"BUDGET_TOKEN": token} if token else {})
    return StdioServerParameters(
        command=sys.executable, args=["-P", "-m", "daemon", "mcp", *where], env=environ
    )


def said(result: object) -> dict[str, Any]:
    """What a tool answered, if it did what it was asked."""
    assert isinstance(result, CallToolResult)
    assert not result.is_error, result.structured_content
    answer: dict[str, Any] = result.structured_content
    return answer


def problem(result: object) -> dict[str, Any]:
    """What stood against it."""
    assert isinstance(result, CallToolResult)
    assert result.is_error, result.structured_content
    refusal: dict[str, Any] = result.structured_content
    return refusal
