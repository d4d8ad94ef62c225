"""The calls of the benchmark: what is asked, and the bytes that ask it over HTTP."""

import json
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any
from uuid import uuid4

COMPONENTS = 8
SESSIONS = 64
RESERVE = "/api/v1/reservations"
HOLD = slice(len('{"reservation_id":"'), len('{"reservation_id":"rsv_') + 32)
"""Where the answer to a reserve names its hold."""

USAGE: dict[str, Any] = {
    "prompt_tokens": 900,
    "completion_tokens": 120,
    "total_tokens": 1020,
    "prompt_tokens_details": {"cached_tokens": 256, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
"""As OpenAI sends it."""


def wanted(number: int, session: int) -> dict[str, Any]:
    """A call about to be made. Every policy of rules.toml matches it."""
    return {
        "component": f"component-{number % COMPONENTS}",
        "provider": "openai",
        "model": "gpt-4o-mini",
        "task_type": "chat",
        "context_id": f"session-{session}",
        "input_tokens": 900,
        "max_output_tokens": 400,
        "tags": {"project": "lab-1"},
    }


def reserves(token: str, *, keyed: bool = False) -> Iterator[bytes]:
    """Requests to reserve, without end. The bare endpoint gets the same ones."""
    bodies = [json.dumps(wanted(number, number)).encode() for number in range(SESSIONS)]
    ready = [_post(RESERVE, token, body) for body in bodies]
    for turn in count():
        number = turn % SESSIONS
        yield _post(RESERVE, token, bodies[number], _key()) if keyed else ready[number]


def settles(token: str, answers: Iterable[bytes], *, keyed: bool = False) -> Iterator[bytes]:
    """One request to settle for each answer to a reserve."""
    body = json.dumps({"usage": USAGE}).encode()
    for answer in answers:
        path = f"{RESERVE}/{answer[HOLD].decode()}/settle"
        yield _post(path, token, body, _key() if keyed else "")


def _key() -> str:
    return f"Idempotency-Key: {uuid4()}\r\n"


def _post(path: str, token: str, body: bytes, more: str = "") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    )
    return head.encode() + body
