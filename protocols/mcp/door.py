"""`/mcp`: the SDK's server behind a route of our own, started at the first request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

import anyio
import anyio.to_thread
from aiohttp import web

from protocols.errors import Unavailable
from protocols.feed import Feed
from protocols.http.body import read
from protocols.http.peer import peer
from protocols.http.settings import DoorSettings
from protocols.http.verb import Authenticate
from protocols.mcp.exchange import App, Exchange
from protocols.message import Ask

PATH = "/mcp"
CALLER = "budget.caller"
"""Where the caller stands in the scope of a request."""


class McpDoor:
    """Authenticates as every door does, and passes the exchange on."""

    def __init__(
        self, ask: Ask, authenticate: Authenticate, settings: DoorSettings, version: str,
        feed: Feed,
    ) -> None:  # fmt: skip
        self._ask = ask
        self._authenticate = authenticate
        self._settings = settings
        self._version = version
        self._feed = feed
        self._wanted = anyio.Event()
        self._settled = anyio.Event()
        self._app: App | None = None
        self._open: dict[anyio.CancelScope, str] = {}
        """Exchanges under way, and whose they are."""

    def add_routes(self, router: web.UrlDispatcher) -> None:
        for method in ("GET", "POST", "DELETE"):
            router.add_route(method, PATH, self.handle)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Serve while inside. Streams that are still open then end."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._serve)
            try:
                yield
            finally:
                self._app = None
                self._settled.set()
                for scope in list(self._open):
                    scope.cancel()
                tasks.cancel_scope.cancel()

    def end(self, name: str) -> None:
        """End what this caller has open: their token has ended."""
        for scope in [scope for scope, whose in self._open.items() if whose == name]:
            scope.cancel()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        caller = self._authenticate(request.headers.get("Authorization"))
        body = await read(request, self._settings)
        self._wanted.set()
        await self._settled.wait()
        if self._app is None:
            raise Unavailable("the daemon is stopping", outcome="not-applied")
        exchange = Exchange(request, body, **{CALLER: caller.coming(f"mcp {peer(request)}")})
        with anyio.CancelScope() as scope:
            self._open[scope] = caller.name
            try:
                return await exchange.through(self._app)
            finally:
                self._open.pop(scope, None)
        return exchange.response or web.Response(status=Unavailable.status)

    async def _serve(self) -> None:
        await self._wanted.wait()
        server = await anyio.to_thread.run_sync(import_module, "protocols.mcp.server")
        async with server.serving(
            self._ask, self._settings, self._version, self._feed
        ) as self._app:
            self._settled.set()
            await anyio.sleep_forever()
