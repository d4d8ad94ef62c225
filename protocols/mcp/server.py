"""The SDK's server over our table: tools by role, refusals as results."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import ListToolsResult, PaginatedRequestParams, Tool, ToolAnnotations
from starlette.types import Receive, Scope, Send

from protocols.feed import Feed
from protocols.http.settings import DoorSettings
from protocols.http.verb import roles_from
from protocols.mcp.calls import Calls
from protocols.mcp.changes import Changes
from protocols.mcp.context import Context, caller_of
from protocols.mcp.door import CALLER
from protocols.mcp.exchange import App
from protocols.mcp.prompts import get_prompt, list_prompts
from protocols.mcp.resources import Resources
from protocols.message import Ask
from protocols.operations import OPERATIONS, Operation
from protocols.schemas import answer, arguments

NAME = "tekton-budget"
INSTRUCTIONS = (
    "Decides before a language model is called whether the money and the tokens are there. "
    "Around a call that costs money: budget_reserve, then the call, then budget_settle with the "
    "provider's usage object. A refusal is an answer: it says what is left, when the limit "
    "resets, what would fit and which cheaper models would be allowed; do not repeat the call "
    "unchanged. All sums are USD as decimal strings."
)
SESSIONS_MAX = 1000
"""Sessions of the older protocol era that may be open at once."""


@asynccontextmanager
async def serving(ask: Ask, settings: DoorSettings, version: str, feed: Feed) -> AsyncIterator[App]:
    """Serve both protocol eras. Host and Origin were checked by the guard before."""
    changes = Changes(feed)
    manager = StreamableHTTPSessionManager(
        server(ask, version, changes),
        max_request_body_size=settings.body_bytes_max,
        max_sessions=SESSIONS_MAX,
    )

    async def identified(scope: Scope, receive: Receive, send: Send) -> None:
        """Tell the SDK whose session it is, so that it lets no other token into it."""
        caller = scope[CALLER]
        token = AccessToken(token="", client_id=caller.name, scopes=[caller.role])
        scope["user"] = AuthenticatedUser(token)
        await manager.handle_request(scope, receive, send)

    async with manager.run(), anyio.create_task_group() as tasks:
        tasks.start_soon(changes.run)
        yield identified
        tasks.cancel_scope.cancel()


def server(ask: Ask, version: str, changes: Changes) -> Server[Any]:
    calls, resources = Calls(ask), Resources(ask)
    shown = [(seen_by(row), tool) for row in OPERATIONS if (tool := described(row))]

    async def list_tools(ctx: Context, _: PaginatedRequestParams | None) -> ListToolsResult:
        role = caller_of(ctx).role
        return ListToolsResult(tools=[tool for roles, tool in shown if role in roles])

    made: Server[Any] = Server(
        NAME,
        version=version,
        title="Tekton Budget",
        instructions=INSTRUCTIONS,
        get_tool_input_schema=input_schemas().get,
        on_list_tools=list_tools,
        on_call_tool=calls.call,
        on_list_resources=resources.list,
        on_list_resource_templates=resources.templates,
        on_read_resource=resources.read,
        on_subscribe_resource=changes.subscribe,
        on_unsubscribe_resource=changes.unsubscribe,
        on_subscriptions_listen=changes.listen,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
    )
    secret = RequestStateSecurity.ephemeral()
    secret.bind_principal = lambda ctx: caller_of(ctx).name
    made.middleware.append(RequestStateBoundary(secret, default_audience=NAME))
    return made


def input_schemas() -> Mapping[str, Mapping[str, Any]]:
    return {row.tool.name: arguments(row) for row in OPERATIONS if row.tool}


def seen_by(operation: Operation) -> frozenset[str]:
    words = operation.tool
    return roles_from("admin" if words is not None and words.of_admins else operation.role)


def described(operation: Operation) -> Tool | None:
    """Show an operation as a tool, if it has words for a model."""
    words = operation.tool
    if words is None:
        return None
    reads = operation.role == "read"
    return Tool(
        name=words.name,
        title=words.title,
        description=words.text,
        input_schema=arguments(operation),
        output_schema=answer(operation),
        annotations=ToolAnnotations(
            title=words.title,
            read_only_hint=reads,
            destructive_hint=words.destructive,
            idempotent_hint=reads or words.repeatable,
            open_world_hint=words.outside,
        ),
    )
