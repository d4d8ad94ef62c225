"""A client of version 1 of the SDK: holds, is denied, settles. Run by an interpreter that has it.

`python mcp_v1_client.py http URL TOKEN` or `python mcp_v1_client.py stdio COMMAND…`; what it heard
is printed as JSON.
"""

import json
import sys
from contextlib import AsyncExitStack

import anyio
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client
from mcp.types import ElicitResult

CALL = {"component": "v1", "model": "claude-haiku-4-5", "input_tokens": 1_000}
POLICY = {"name": "v1", "match": {"component": "v1"}, "period": "total", "limit": {"usd": "0.01"}}


async def say_yes(*_: object) -> ElicitResult:
    return ElicitResult(action="accept", content={"confirm": True})


async def main(kind: str, *where: str) -> None:
    async with AsyncExitStack() as stack:
        if kind == "http":
            headers = {"Authorization": f"Bearer {where[1]}"}
            transport = streamablehttp_client(where[0], headers=headers)
        else:
            transport = stdio_client(StdioServerParameters(command=where[0], args=[*where[1:]]))
        read, write, *_ = await stack.enter_async_context(transport)
        session = ClientSession(read, write, elicitation_callback=say_yes)
        await stack.enter_async_context(session)
        hello = await session.initialize()
        tools = (await session.list_tools()).tools
        await session.call_tool("budget_set_policy", POLICY)
        held = await session.call_tool("budget_reserve", CALL | {"max_output_tokens": 400})
        denied = await session.call_tool("budget_reserve", CALL | {"max_output_tokens": 40_000})
        settle = {
            "reservation_id": held.structuredContent["reservation_id"],
            "usage": {"input_tokens": 800, "output_tokens": 100},
        }
        booked = await session.call_tool("budget_settle", settle)
        heard = {
            "version": hello.protocolVersion,
            "tools": [tool.name for tool in tools],
            "held": held.structuredContent["held"],
            "denied": [denied.isError, denied.structuredContent["left"]],
            "cost_usd": booked.structuredContent["cost_usd"],
        }
        print(json.dumps(heard))  # noqa: T201


anyio.run(main, *sys.argv[1:])
