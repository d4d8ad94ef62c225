"""Tekton's own shape of MCP, `/api/mcp/v2`: its tool names and envelopes over our operations.

It is not the Model Context Protocol on the wire but plain JSON over HTTP; `/mcp` has the real one.
"""
