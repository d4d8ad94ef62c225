"""The daemon's own pages: how it is, whether it is ready, what it speaks."""

import platform
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, Protocol

import anyio
import anyio.to_thread
from aiohttp import web
from pydantic_core import to_json

from protocols.errors import Unavailable
from protocols.http.reply import respond
from protocols.http.settings import PREFIX
from protocols.http.verb import Authenticate, check_role, roles_from
from protocols.openapi import document

Condition = Literal["healthy", "degraded", "unhealthy"]
"""Tekton's words."""


class HealthReport(Protocol):
    """How the daemon is. Asked on every call, so it answers at once."""

    @property
    def version(self) -> str: ...

    def status(self) -> Condition: ...

    def overview(self) -> Mapping[str, Any]:
        """Tell anybody how it is, in Tekton's words; always, whatever is broken."""

    def running(self) -> Mapping[str, object]:
        """Tell anybody that this runs, what it can and how it is."""

    def unready(self) -> str | None:
        """Say why no operation can be served now; None when they can."""

    def readiness(self) -> Mapping[str, object]:
        """Tell anybody that operations are served, and how old the prices are."""

    def details(self) -> Mapping[str, object]:
        """Tell of actors, journal, prices, uptime: for those who may read."""


def add_house(router: web.UrlDispatcher, health: HealthReport, authenticate: Authenticate) -> None:
    readers = roles_from("read")
    one_at_a_time = anyio.Lock()

    async def show_health(_: web.Request) -> web.Response:
        return respond(to_json(health.overview()))

    async def show_ready(_: web.Request) -> web.Response:
        why = health.unready()
        if why is not None:
            raise Unavailable(f"not ready: {why}", outcome="not-applied")
        return respond(to_json(health.readiness()))

    async def show_version(_: web.Request) -> web.Response:
        python = platform.python_version()
        version = {"component": "budget", "version": health.version, "api": "v1", "python": python}
        return respond(to_json(version))

    async def show_status(request: web.Request) -> web.Response:
        authorization = request.headers.get("Authorization")
        if authorization is None:
            return respond(to_json(health.running()))
        check_role(authenticate(authorization), readers, "read")
        return respond(to_json({**health.running(), **health.details()}))

    async def show_openapi(_: web.Request) -> web.Response:
        async with one_at_a_time:  # deriving it takes half a second, once, and not at the start
            document = await anyio.to_thread.run_sync(_openapi, health.version)
        return respond(document)

    router.add_get("/health", show_health)
    router.add_get("/ready", show_ready)
    router.add_get("/version", show_version)
    router.add_get("/status", show_status)
    router.add_get(f"{PREFIX}/openapi.json", show_openapi)


@cache
def _openapi(version: str) -> bytes:
    return to_json(document(version))
