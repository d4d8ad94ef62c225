"""The routes under `/api/mcp/v2`, and the one that `tekton status` looks for."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from pydantic_core import to_json

from protocols.errors import BudgetError, Forbidden, NotFound, Unauthenticated
from protocols.http.body import parse, read
from protocols.http.invalid import understood
from protocols.http.reply import respond
from protocols.http.settings import DoorSettings
from protocols.http.verb import Authenticate, Verb
from protocols.mcp.tekton.desk import Desk
from protocols.mcp.tekton.tools import TOOLS
from protocols.mcp.tekton.words import Process
from protocols.message import Ask
from protocols.operations import BY_NAME

BRIDGE = "/api/mcp/v2"
CAPABILITIES = ("budget_management", "model_recommendations", "budget_analytics")
ABOUT_THE_CALLER = (Unauthenticated, Forbidden)
"""Refusals that concern the caller and not the call: they keep their status."""


class Bridge:
    """Answers in Tekton's envelope: a refusal is `success: false` with the problem beside it."""

    def __init__(
        self, ask: Ask, authenticate: Authenticate, settings: DoorSettings, version: str
    ) -> None:
        self._verbs = {name: Verb(operation, ask) for name, operation in BY_NAME.items()}
        self._authenticate = authenticate
        self._settings = settings
        self._version = version

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get(f"{BRIDGE}/health", self._health)
        router.add_get(f"{BRIDGE}/capabilities", self._capabilities)
        for path in (f"{BRIDGE}/tools", "/mcp/tools"):
            router.add_get(path, self._list)
        router.add_post(f"{BRIDGE}/tools/list", self._list)
        for path in (f"{BRIDGE}/process", f"{BRIDGE}/tools/call"):
            router.add_post(path, self._process)

    async def _health(self, _: web.Request) -> web.Response:
        return respond(
            to_json(
                {"status": "healthy", "component": "budget", "version": self._version,
                 "tools": len(TOOLS)}
            )
        )  # fmt: skip

    async def _capabilities(self, request: web.Request) -> web.Response:
        self._authenticate(request.headers.get("Authorization"))
        return respond(to_json({"capabilities": CAPABILITIES, "count": len(CAPABILITIES)}))

    async def _list(self, request: web.Request) -> web.Response:
        self._authenticate(request.headers.get("Authorization"))
        tools = [tool.described() for tool in TOOLS.values()]
        return respond(to_json({"tools": tools, "count": len(tools)}))

    async def _process(self, request: web.Request) -> web.Response:
        caller = self._authenticate(request.headers.get("Authorization"))
        asked = understood(Process, parse(await read(request, self._settings)))
        name = asked.tool_name or asked.toolName or asked.name
        tool = TOOLS.get(name)
        if tool is None:
            raise NotFound(f"there is no tool {name!r}", hint=f"known: {', '.join(TOOLS)}")
        desk = Desk(self._verbs, caller)
        try:
            result = await tool.answer(desk, understood(tool.takes, asked.arguments))
        except ABOUT_THE_CALLER:
            raise
        except BudgetError as refusal:
            return _envelope(name, None, refusal)
        return _envelope(name, result, None)


def _envelope(
    name: str, result: Mapping[str, Any] | None, refusal: BudgetError | None
) -> web.Response:
    metadata: dict[str, Any] = {"tool": name}
    if refusal is not None:
        metadata["problem"] = refusal.problem()
    return respond(
        to_json(
            {
                "success": refusal is None,
                "result": result,
                "error": None if refusal is None else refusal.detail,
                "metadata": metadata,
            }
        )
    )
