"""The door for models: the Model Context Protocol, derived from the table of operations.

A request meets the guard and its token like every other. Which tools there are depends on the
caller's role; what a tool takes and answers is what the operation takes and answers. A refusal is
a result with the figures in it, so that a model can act on it.

The SDK takes two seconds to import, so only `protocols.mcp.server` and what it needs import it,
and that happens at the first request.
"""

from protocols.mcp.door import McpDoor

__all__ = ["McpDoor"]
