"""The pages every component of Tekton has: who it is, what it can, and how it is stopped."""

import logging
from collections.abc import Callable
from functools import cache

from aiohttp import web
from pydantic_core import to_json

from protocols.http import Authenticate, DoorSettings, HealthReport
from protocols.http.body import parse, read
from protocols.http.reply import respond
from protocols.http.verb import check_role, roles_from
from protocols.openapi import document, html
from protocols.operations import PREFIX
from protocols.page import PageDoor
from protocols.tekton import component, workflow

log = logging.getLogger("budget.http")

ACCEPTED = 202


class TektonDoor:
    """`stop` ends the daemon in order, as a signal does."""

    def __init__(
        self,
        authenticate: Authenticate,
        health: HealthReport,
        settings: DoorSettings,
        stop: Callable[[], None],
    ) -> None:
        self.authenticate = authenticate
        self.health = health
        self.settings = settings
        self.stop = stop
        self.admins = roles_from("admin")
        self.page = PageDoor()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/", self.introduce)
        self.page.add_routes(router)
        router.add_get(f"{PREFIX}/discovery", self.discover)
        router.add_get(component.DOCS, self.show_docs)
        router.add_post("/shutdown", self.shut_down)
        router.add_post("/api/shutdown", self.shut_down)
        router.add_post("/workflow", self.work)

    async def introduce(self, request: web.Request) -> web.Response:
        """To a browser the page, to programs a few words."""
        if self.page.wanted(request):
            return self.page.index()
        told = {
            "name": component.TITLE,
            "version": self.health.version,
            "description": component.DESCRIPTION,
            "status": "running",
            "docs": component.DOCS,
        }
        return respond(to_json(told))

    async def discover(self, _: web.Request) -> web.Response:
        hermes = [(one["name"], one["endpoint"]) for one in self.health.overview()["dependencies"]]
        told = {
            "component": component.NAME,
            "version": self.health.version,
            "description": component.DESCRIPTION,
            "endpoints": component.endpoints(),
            "capabilities": component.capabilities(),
            "dependencies": dict(hermes),
            "metadata": {"names": component.NAMES, "openapi": component.OPENAPI, "mcp": "/mcp"},
        }
        return respond(to_json(told))

    async def show_docs(self, _: web.Request) -> web.Response:
        return self.page.written(_docs(self.health.version))

    async def shut_down(self, request: web.Request) -> web.Response:
        """Accepted; what is under way is finished first."""
        caller = self.authenticate(request.headers.get("Authorization"))
        check_role(caller, self.admins, "admin")
        log.warning("%s asks the daemon to stop", caller.name)
        self.stop()
        told = {
            "status": "accepted",
            "message": "what is under way is finished, then the daemon ends",
            "timestamp": self.health.overview()["timestamp"],
        }
        return respond(to_json(told), ACCEPTED)

    async def work(self, request: web.Request) -> web.Response:
        return respond(to_json(workflow.answer(parse(await read(request, self.settings)))))


@cache
def _docs(version: str) -> bytes:
    return html(document(version)).encode()
