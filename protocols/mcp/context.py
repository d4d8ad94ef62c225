"""What a handler is given with each message, and whose message it is."""

from typing import Any

from mcp.server.context import ServerRequestContext

from protocols.mcp.door import CALLER
from protocols.message import Caller

Context = ServerRequestContext[Any, Any]


def caller_of(ctx: Context) -> Caller:
    """Whose token came with the very HTTP request that carried this message."""
    assert ctx.request is not None, "only HTTP reaches this server"
    caller: Caller = ctx.request.scope[CALLER]
    return caller
