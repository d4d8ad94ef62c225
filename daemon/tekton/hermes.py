"""Hermes over HTTP, as it was observed: where its documents and its answers differ, its answers."""

import os
from collections.abc import Mapping
from typing import Any

import aiohttp
import anyio
from pydantic_core import from_json

from actors.hermes.card import Card, Tool
from actors.ports import HermesFailed, TokenRejected

TOKEN = "X-Authentication-Token"  # noqa: S105  # a header's name
OK, UNAUTHORIZED, NOT_FOUND = 200, 401, 404
BYTES_MAX = 4 * 1024 * 1024
TOOLS = "/mcp/v2/tools"


class HermesClient:
    """The `Hermes` port. A connection is made for each question: there are two a minute."""

    def __init__(self, url: str, timeout_s: float) -> None:
        """`url` with or without the `/api` that Tekton's variables carry or leave out."""
        self.base = url.rstrip("/").removesuffix("/api") + "/api"
        self.timeout_s = timeout_s

    async def register(self, card: Card, endpoint: str) -> str:
        told = {
            "component_id": card.name,  # without one Hermes makes a new entry at each start
            "name": card.name,
            "version": card.version,
            "type": "budget",
            "endpoint": endpoint,
            "capabilities": list(card.capabilities),
            "metadata": {"description": card.description, "health": f"{endpoint}/health"},
        }
        answer = await self._ask("POST", "/register", told)
        token = answer.get("token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token.isprintable():
            raise HermesFailed("the answer to a registration has no token", "shape")
        return token

    async def heartbeat(self, name: str, token: str, condition: dict[str, Any]) -> None:
        told = {"component_id": name, "status": condition}
        await self._ask("POST", "/heartbeat", told, {TOKEN: token})

    async def listed(self, name: str) -> bool:
        answer = await self._ask("GET", "/components")
        found = answer.get("components") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise HermesFailed("the answer has no list of components", "shape")
        return any(isinstance(one, dict) and one.get("component_id") == name for one in found)

    async def unregister(self, name: str, token: str) -> None:
        await self._ask("POST", "/unregister", None, {TOKEN: token}, {"component_id": name})

    async def offer(self, tool: Tool, endpoint: str) -> None:
        told = {
            "id": tool.id,
            "name": tool.name,
            "description": tool.description,
            "schema": tool.schema,
            "tags": ["budget"],
            "endpoint": f"{endpoint}/api/mcp/v2/process",
        }
        await self._ask("POST", TOOLS, told)

    async def withdraw(self, tool: str) -> None:
        """One that is not there is gone already."""
        await self._ask("DELETE", f"{TOOLS}/{tool}", gone=True)

    async def _ask(
        self,
        method: str,
        path: str,
        told: object = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        *,
        gone: bool = False,
    ) -> Any:
        """The JSON of a 200. Raises HermesFailed, with the reason in one word."""
        try:
            with anyio.fail_after(self.timeout_s):
                async with (
                    aiohttp.ClientSession() as session,
                    session.request(
                        method, self.base + path, json=told, headers=headers, params=query,
                        allow_redirects=False,
                    ) as answer,
                ):  # fmt: skip
                    _check(answer.status, path, gone=gone)
                    return from_json(await _body(answer))
        except TimeoutError as error:
            raise HermesFailed(f"no answer within {self.timeout_s:g} s", "timeout") from error
        except aiohttp.ClientConnectorError as error:
            number = error.os_error.errno
            why = str(error.os_error) if number is None else os.strerror(number)
            detail = f"cannot connect to {error.host}:{error.port}: {why}"
            raise HermesFailed(detail, "connection") from error
        except (aiohttp.ClientError, OSError) as error:
            raise HermesFailed(f"{type(error).__name__}: {error}", "connection") from error
        except ValueError as error:
            raise HermesFailed(f"the answer to {path} is not JSON", "shape") from error


def _check(status: int, path: str, *, gone: bool) -> None:
    if status == UNAUTHORIZED:
        raise TokenRejected(f"Hermes does not know our token at {path}", "token")
    if status != OK and not (gone and status == NOT_FOUND):
        raise HermesFailed(f"{path} answers {status}", "status")


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(65_536):
        body += chunk
        if len(body) > BYTES_MAX:
            raise HermesFailed(f"an answer is larger than {BYTES_MAX} bytes", "shape")
    return bytes(body)
