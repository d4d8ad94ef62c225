"""A tool call: the same checks as through any door, and a result a model can act on."""

import json
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    TextContent,
)
from pydantic_core import from_json, to_json

from protocols.errors import BudgetError
from protocols.hindsight import Replay
from protocols.http.body import parse
from protocols.http.reply import mishap
from protocols.http.verb import Verb
from protocols.mcp.confirm import Asked, confirmed
from protocols.mcp.context import Context, caller_of
from protocols.mcp.progress import Course, progressing
from protocols.message import Ask, Caller
from protocols.operations import OPERATIONS
from protocols.schemas import IDEMPOTENCY_KEY


class Calls:
    """Finds the operation behind a tool's name and performs it for the caller."""

    def __init__(self, ask: Ask) -> None:
        self._verbs = {row.tool.name: Verb(row, ask) for row in OPERATIONS if row.tool}

    async def call(
        self, ctx: Context, params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        verb = self._verbs.get(params.name)
        if verb is None:
            known = ", ".join(self._verbs)
            raise MCPError(INVALID_PARAMS, f"no such tool: {params.name[:64]}; known: {known}")
        try:
            return await self._perform(verb, ctx, params)
        except Asked as asked:
            return asked.result
        except BudgetError as refusal:
            return refused(refusal)
        except MCPError:
            raise
        except Exception as bug:  # noqa: BLE001  # logged under a number, of which the client hears
            problem = mishap(bug, f"mcp: {params.name}").problem()
            raise MCPError(INTERNAL_ERROR, str(problem["detail"]), data=problem) from None

    async def _perform(
        self, verb: Verb, ctx: Context, params: CallToolRequestParams
    ) -> CallToolResult:
        caller = caller_of(ctx)
        verb.admit(caller)
        if verb.operation.role != "admin":
            caller = caller.coming(None)
        body = to_json(params.arguments or {})
        fields = parse(body)
        key = fields.pop(IDEMPOTENCY_KEY, None) if verb.operation.keyed else None
        message = verb.understand(fields)
        if key is not None:
            caller = _keyed(verb, caller, key, fields)
        words = verb.operation.tool
        if words is not None and words.question is not None:
            await confirmed(words.question, message, ctx, params)
        course = Course()
        if isinstance(message, Replay):
            message = message.watched(course.take)
        reply = await progressing(ctx, params.name, verb.ask(message, caller), course)
        return CallToolResult(content=[text(reply)], structured_content=from_json(reply))


def _keyed(verb: Verb, caller: Caller, key: Any, fields: dict[str, Any]) -> Caller:
    """Bind the key as HTTP does: to the operation, its path and what it is asked to do."""
    path = verb.operation.path.format_map(fields)
    return verb.keyed(caller, str(key), path, json.dumps(fields, sort_keys=True).encode())


def refused(refusal: BudgetError) -> CallToolResult:
    """Say what stands against it, with the figures: not an error of the protocol."""
    problem = to_json(refusal.problem())
    return CallToolResult(
        content=[text(problem)], structured_content=from_json(problem), is_error=True
    )


def text(reply: bytes) -> TextContent:
    return TextContent(type="text", text=reply.decode())
