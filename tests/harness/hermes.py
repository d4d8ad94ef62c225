"""A Hermes that behaves as the real one was observed to, over HTTP, in a thread of its own.

Its oddities are the point: tokens are not renewed by heartbeats, a heartbeat of somebody unknown
is thanked for, a restart forgets everybody and accepts the tokens of before, an unknown component
cannot be unregistered, and ids that nobody gave are invented anew.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Any

import anyio
from aiohttp import web
from anyio.from_thread import BlockingPortal, start_blocking_portal

from daemon.clock import SystemClock

KEY = b"a constant in its source"
TOKEN_LIFE_S = 3600
WITHIN_S = 20.0
HEADER = "X-Authentication-Token"


class FakeHermes:
    """What it knows, what it was asked, and how it misbehaves."""

    def __init__(self, portal: BlockingPortal, port: int) -> None:
        self.components: dict[str, dict[str, Any]] = {}
        self.tools: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.port = port
        self.expired_before = 0
        self._tokens = 0
        self._heard = Condition()
        self._portal = portal
        self._awake = portal.call(anyio.Event)
        self._awake.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def forget(self) -> None:
        """Restart: everything is in memory only, and the key is a constant."""
        self._on_loop(self.components.clear)
        self._on_loop(self.tools.clear)

    def expire(self) -> None:
        """An hour passes for every token there is."""
        self._on_loop(setattr, self, "expired_before", self._tokens)

    def hang(self) -> None:
        """Take requests and answer none, until `awake`."""
        self._awake = self._portal.call(anyio.Event)

    def awake(self) -> None:
        self._on_loop(self._awake.set)

    def wait_until(self, fits: Callable[[], bool]) -> None:
        """Looked at after every request."""
        with self._heard:
            assert self._heard.wait_for(fits, WITHIN_S), self.asked

    def wait_for(self, *asked: str, since: int | None = None) -> None:
        """Until these were asked, in this order, from now on or since so many questions."""
        start = len(self.asked) if since is None else since

        def heard() -> bool:
            later = iter(self.asked[start:])
            return all(one in later for one in asked)

        self.wait_until(heard)

    def _on_loop(self, work: Callable[..., Any], *args: object) -> None:
        self._portal.call(work, *args)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._remembering])
        app.add_routes(
            [
                web.post("/api/register", self._register),
                web.post("/api/heartbeat", self._heartbeat),
                web.post("/api/unregister", self._unregister),
                web.get("/api/components", self._list),
                web.post("/api/mcp/v2/tools", self._take_tool),
                web.delete("/api/mcp/v2/tools/{id}", self._drop_tool),
            ]
        )
        return app

    @web.middleware
    async def _remembering(self, request: web.Request, handler: Any) -> web.StreamResponse:
        await self._awake.wait()
        answer: web.StreamResponse = await handler(request)
        with self._heard:
            self.asked.append(f"{request.method} {request.path} {answer.status}")
            self._heard.notify_all()
        return answer

    async def _register(self, request: web.Request) -> web.Response:
        told = await request.json()
        wrong = [n for n in ("name", "version", "endpoint", "capabilities") if n not in told]
        if wrong or not all(isinstance(one, str) for one in told["capabilities"]):
            return web.json_response({"detail": wrong}, status=422)
        kind = told.get("type") or told.get("component_type")
        name = told.get("component_id") or f"{kind}-{told['name']}-{secrets.token_hex(4)}"
        self.components[name] = {
            "component_id": name, "name": told["name"], "version": told["version"], "type": None,
            "port": None, "status": "unknown", "capabilities": told["capabilities"],
            "endpoint": told["endpoint"], "last_heartbeat": None, "registered_at": now_s(),
            "metadata": {"type": kind, **told.get("metadata", {})},
        }  # fmt: skip
        return web.json_response(
            {"success": True, "componentId": name, "token": self._token(name),
             "message": "Component registered successfully"}
        )  # fmt: skip

    async def _heartbeat(self, request: web.Request) -> web.Response:
        told = await request.json()
        if HEADER not in request.headers or not isinstance(told.get("status"), dict):
            return web.json_response({"detail": "unprocessable"}, status=422)
        if not self._valid(request.headers[HEADER], told["component_id"]):
            return web.json_response({"detail": "Invalid authentication token"}, status=401)
        if told["component_id"] in self.components:
            self.components[told["component_id"]]["last_heartbeat"] = now_s()
        return web.json_response(
            {"success": True, "timestamp": now_s(), "message": "Heartbeat received"}
        )

    async def _unregister(self, request: web.Request) -> web.Response:
        name = request.query.get("component_id")
        if name is None or HEADER not in request.headers:
            return web.json_response({"detail": "unprocessable"}, status=422)
        if not self._valid(request.headers[HEADER], name) or name not in self.components:
            return web.json_response({"detail": "Invalid authentication token"}, status=401)
        del self.components[name]
        return web.json_response({"success": True, "message": "Component unregistered"})

    async def _list(self, _: web.Request) -> web.Response:
        listed = list(self.components.values())
        return web.json_response({"total": len(listed), "components": listed})

    async def _take_tool(self, request: web.Request) -> web.Response:
        told = await request.json()
        if not isinstance(told.get("schema", told.get("input_schema")), dict):
            return web.json_response({"detail": "unprocessable"}, status=422)
        name = told.get("id") or f"tool-{secrets.token_hex(4)}"
        self.tools[name] = told
        return web.json_response(
            {"success": True, "toolId": name, "message": "Tool registered successfully"}
        )

    async def _drop_tool(self, request: web.Request) -> web.Response:
        if self.tools.pop(request.match_info["id"], None) is None:
            return web.json_response({"detail": "Tool not found"}, status=404)
        return web.json_response({"success": True, "message": "Tool unregistered"})

    def _token(self, name: str) -> str:
        self._tokens += 1
        payload = {
            "component_id": name, "token_id": self._tokens, "iat": now_s(),
            "exp": now_s() + TOKEN_LIFE_S,
        }  # fmt: skip
        return json.dumps({"payload": payload, "signature": _signature(payload)})

    def _valid(self, token: str, name: str) -> bool:
        try:
            told = json.loads(token)
            payload = told["payload"]
            signed = hmac.compare_digest(told["signature"], _signature(payload))
        except (ValueError, KeyError, TypeError):
            return False
        alive: bool = payload["token_id"] > self.expired_before and payload["exp"] > now_s()
        return signed and alive and payload["component_id"] == name


def now_s() -> float:
    return SystemClock().now_ms() / 1000


def _signature(payload: dict[str, Any]) -> str:
    return hmac.new(KEY, json.dumps(payload, sort_keys=True).encode(), hashlib.sha256).hexdigest()


@contextmanager
def fake_hermes(port: int = 0) -> Iterator[FakeHermes]:
    """One that runs until it is left; at a port of its own, or at the one it is expected at."""
    with start_blocking_portal() as portal:
        hermes = FakeHermes(portal, port)
        runner = web.AppRunner(hermes.app(), shutdown_timeout=0.1)

        async def start() -> None:
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", port)
            await site.start()
            hermes.port = site.port

        portal.call(start)
        try:
            yield hermes
        finally:
            hermes.awake()
            portal.call(runner.cleanup)
