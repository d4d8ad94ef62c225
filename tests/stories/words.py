"""What the stories are told with: one call, what is done with it, and what is expected back."""

import re
from dataclasses import dataclass
from typing import Any

from tests.daemon_process import Answer, Daemon

CALL = {"model": "claude-haiku-4-5", "input_tokens": 1_000, "max_output_tokens": 400}
"""At 1 and 5 dollars a million: 1,400 tokens for 0.003 dollars."""
USAGE = {"input_tokens": 800, "output_tokens": 100}


@dataclass(frozen=True, eq=False)
class Like:
    """Equal to every string that matches it."""

    pattern: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.fullmatch(self.pattern, other) is not None

    __hash__ = None  # type: ignore[assignment]


PRICE = Like(r"anthropic/claude-haiku-4-5@\d{4}-\d\d-\d\d")
INSTANT = Like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
RESERVATION = Like(r"rsv_[0-9a-v]{32}")
ALLOCATION = Like(r"alc_[0-9a-v]{32}")
ENTRY = Like(r"ent_\d{16}")


def reserve(daemon: Daemon, me: str, **fields: object) -> dict[str, Any]:
    return made(daemon.post("/reservations", CALL | {"component": me} | fields))


def settle(daemon: Daemon, held: dict[str, Any], usage: object = USAGE, **fields: object) -> Answer:
    body = {"usage": usage} | fields
    return daemon.post(f"/reservations/{held['reservation_id']}/settle", body)


def release(daemon: Daemon, held: dict[str, Any]) -> Answer:
    return daemon.post(f"/reservations/{held['reservation_id']}/release", {})


def extend(daemon: Daemon, held: dict[str, Any], **fields: object) -> Answer:
    return daemon.post(f"/reservations/{held['reservation_id']}/extend", fields)


def limit(daemon: Daemon, me: str, **fields: Any) -> None:
    """A hard limit on this story's component, unless the fields say otherwise."""
    policy = {"name": me, "match": {"component": me}, "period": "total"}
    made(daemon.post("/policies", policy | fields))


def balance(daemon: Daemon, me: str) -> dict[str, Any]:
    (row,) = daemon.get(f"/balances?policy={me}").body["items"]
    return {name: row[name] for name in ("used", "held", "left")}


def made(answer: Answer, status: int = 201) -> dict[str, Any]:
    assert answer.status == status, answer.body
    body: dict[str, Any] = answer.body
    return body


def refused(answer: Answer, status: int, code: str) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.body
    assert (answer.status, body["status"], body["code"]) == (status, status, code), body
    assert body["type"] == f"urn:budget:{code}"
    assert body["title"]
    assert body["detail"]
    return body
