"""The calls of the benchmark: what is asked, and the bytes that ask it over HTTP."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import count, islice
from typing import Any
from uuid import uuid4

COMPONENTS = 8
SESSIONS = 64
TURN = range(SESSIONS)
RESERVE = "/api/v1/reservations"
MCP_VERSION, META = "2026-07-28", "io.modelcontextprotocol/"
HOLD = re.compile(rb'"reservation_id":"(rsv_[0-9a-v]{32})"')
"""How the answer to a reserve names its hold."""
MONTH = json.dumps({"span": "last_30_days", "every": "day", "group_by": ["component", "model"]})
"""A report: a month by component, model and day."""

USAGE: dict[str, Any] = {
    "prompt_tokens": 900,
    "completion_tokens": 120,
    "total_tokens": 1020,
    "prompt_tokens_details": {"cached_tokens": 256, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
"""As OpenAI sends it."""


def wanted(number: int, session: int, components: int = COMPONENTS) -> dict[str, Any]:
    """A call about to be made. Every policy of rules.toml matches it."""
    return {
        "component": f"component-{number % components}",
        "provider": "openai",
        "model": "gpt-4o-mini",
        "task_type": "chat",
        "context_id": f"session-{session}",
        "input_tokens": 900,
        "max_output_tokens": 400,
        "tags": {"project": "lab-1"},
    }


def reserves(
    token: str, *, keyed: bool = False, mcp: bool = False, components: int = COMPONENTS
) -> Iterator[bytes]:
    """Requests to reserve, without end. The bare endpoint gets the same ones."""
    wishes = [wanted(n, n % SESSIONS, components) for n in range(max(SESSIONS, components))]
    if mcp:
        yield from _again(_tool("budget_reserve", token, wish) for wish in wishes)
    bodies = [json.dumps(wish).encode() for wish in wishes]
    ready = [_post(RESERVE, token, body) for body in bodies]
    for turn in count():
        number = turn % len(ready)
        yield _post(RESERVE, token, bodies[number], _key()) if keyed else ready[number]


def settles(
    token: str, answers: Iterable[bytes], *, keyed: bool = False, mcp: bool = False
) -> Iterator[bytes]:
    """One request to settle for each answer to a reserve."""
    body = json.dumps({"usage": USAGE}).encode()
    for hold in holds(answers):
        if mcp:
            yield _tool("budget_settle", token, {"reservation_id": hold, "usage": USAGE})
        else:
            yield _post(f"{RESERVE}/{hold}/settle", token, body, _key() if keyed else "")


def holds(answers: Iterable[bytes]) -> Iterator[str]:
    for answer in answers:
        yield from (name.decode() for name in HOLD.findall(answer))


def checks(token: str) -> Iterator[bytes]:
    return _again(_post("/api/v1/check", token, json.dumps(wanted(n, n)).encode()) for n in TURN)


def records(token: str) -> Iterator[bytes]:
    """Usage that nobody held for."""
    bodies = [_recorded(number) for number in TURN]
    return _again(_post("/api/v1/usage", token, json.dumps(body).encode()) for body in bodies)


def routes(token: str) -> Iterator[bytes]:
    """The question which model may do a job."""
    body = {name: wanted(0, 0)[name] for name in ("component", "task_type", "input_tokens")}
    body |= {"provider": "openai", "model": "gpt-4o-mini", "max_output_tokens": 400}
    return _again([_post("/api/v1/route", token, json.dumps(body).encode())])


def reports(token: str) -> Iterator[bytes]:
    return _again([_post("/api/v1/reports", token, MONTH.encode())])


def news(token: str, name: str) -> bytes:
    """A policy that matches nobody, so that there is something to tell."""
    policy = {"name": name, "match": {"component": "nobody"}, "limit": {"calls": 9}}
    return _post("/api/v1/policies", token, json.dumps(policy | {"period": "total"}).encode())


def reserve_items() -> Iterator[bytes]:
    """Operations as batches and streams have them, without their closing brace's `id`."""
    return _again(_item("reserve", wanted(number, number)) for number in TURN)


def settle_items(answers: Iterable[bytes]) -> Iterator[bytes]:
    for hold in holds(answers):
        yield _item("settle", {"reservation_id": hold, "usage": USAGE})


def in_batches(token: str, items: Iterator[bytes], size: int) -> Iterator[bytes]:
    while some := list(islice(items, size)):
        yield _post("/api/v1/batch", token, b'{"operations":[%b]}' % b",".join(some))


def _tool(name: str, token: str, arguments: dict[str, Any]) -> bytes:
    """A call of a tool by MCP: one request, as the protocol has it since 2026."""
    meta = {f"{META}protocolVersion": MCP_VERSION, f"{META}clientCapabilities": {}}
    params = {"name": name, "arguments": arguments, "_meta": meta}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    more = "Accept: application/json, text/event-stream\r\n"
    more += f"MCP-Protocol-Version: {MCP_VERSION}\r\nMcp-Method: tools/call\r\nMcp-Name: {name}\r\n"
    return _post("/mcp", token, json.dumps(asked).encode(), more)


def _item(operation: str, body: dict[str, Any]) -> bytes:
    return json.dumps({"operation": operation, "body": body}).encode()


def _recorded(number: int) -> dict[str, Any]:
    body = wanted(number, number)
    return {k: v for k, v in body.items() if not k.endswith("_tokens")} | {"usage": USAGE}


def _again(requests: Iterable[bytes]) -> Iterator[bytes]:
    ready = list(requests)
    return (ready[turn % len(ready)] for turn in count())


def _key() -> str:
    return f"Idempotency-Key: {uuid4()}\r\n"


def _post(path: str, token: str, body: bytes, more: str = "") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    )
    return head.encode() + body
