"""No limit is passed because many looked at the same time: of 500 callers at once, 50 get in."""

from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest

from daemon.journal.verify import verify
from tests.daemon_process import PREFIX, Answer, Daemon, running

pytestmark = pytest.mark.anyio

CALLERS, AFFORDED = 500, 50
COMPONENTS = 7
CALL = {
    "model": "claude-haiku-4-5", "input_tokens": 500, "max_output_tokens": 500,
    "context_id": "session-1", "tags": {"project": "lab-7"}, "priority": 9,
}  # fmt: skip
"""1,000 tokens and, at 1 and 5 dollars a million, 0.003 dollars."""
USAGE = {"input_tokens": 400, "cache_read_input_tokens": 100, "output_tokens": 500}

TIGHT = {
    "usd": ('{ usd = "0.150" }', "0.150000000", "0.000000000", "0.145500000"),
    "tokens": ("{ tokens = 50_000 }", 50_000, 0, 50_000),
    "calls": ("{ calls = 50 }", 50, 0, 50),
}
"""On each axis: a limit that affords 50, as it is shown, nothing, and what 50 settles use."""

CONFIG = """
[daemon]
socket = "{socket}"

[[policy]]
name = "tight"
limit = {limit}
period = "total"

[[policy]]
name = "roomy-hour"
limit = {{ usd = "900", tokens = 900_000_000, calls = 900_000 }}
period = "hourly"

[[policy]]
name = "roomy-day"
each = "component"
limit = {{ usd = "900", tokens = 900_000_000 }}
period = "daily"
zone = "Europe/Berlin"

[[policy]]
name = "roomy-week"
each = "model"
limit = {{ usd = "900" }}
period = "weekly"

[[policy]]
name = "roomy-month"
match = {{ provider = "anthropic", model = "claude-*" }}
limit = {{ tokens = 900_000_000 }}
period = "monthly"

[[policy]]
name = "roomy-total"
match = {{ tier = "*" }}
limit = {{ calls = 900_000 }}
period = "total"

[[policy]]
name = "roomy-five-hours"
limit = {{ usd = "900", calls = 900_000 }}
period = "rolling:5h"

[[policy]]
name = "roomy-session"
limit = {{ tokens = 900_000_000 }}
period = "per_session"

[[policy]]
name = "roomy-tag"
match = {{ tags = {{ project = "lab-*" }} }}
limit = {{ usd = "900" }}
period = "per_task"

[[policy]]
name = "empty-but-warns"
limit = {{ usd = "0", tokens = 0, calls = 0 }}
period = "daily"
enforce = "warn"

[[policy]]
name = "empty-but-soft"
limit = {{ usd = "0" }}
period = "daily"
enforce = "soft"
"""


@pytest.mark.parametrize(
    ("axis", "door"), [("usd", "tcp"), ("tokens", "tcp"), ("calls", "tcp"), ("usd", "unix")]
)
async def test_a_limit_that_affords_50_lets_50_of_500_in(
    tmp_path: Path, axis: str, door: str
) -> None:
    limit, all_of_it, nothing, used = TIGHT[axis]
    socket = tmp_path / "s"
    with running(tmp_path, CONFIG.format(limit=limit, socket=socket)) as daemon:
        async with daemon.session(socket=str(socket) if door == "unix" else None) as session:
            calls = [("/reservations", call(number)) for number in range(CALLERS)]
            answers = await all_at_once(session, calls)
            held = [answer.body for answer in answers if answer.status == 201]
            denied = [answer for answer in answers if answer.status == 402]

            assert (len(held), len(denied)) == (AFFORDED, CALLERS - AFFORDED)
            for answer in denied:
                check_denial(answer, axis)
            assert all(len(one["policies"]) >= 11 for one in held)
            assert tight(daemon) == {"used": nothing, "held": all_of_it, "left": nothing}
            assert len(daemon.get("/entries?kind=denied&limit=1000").body["items"]) == len(denied)

            ids = [one["reservation_id"] for one in held]
            settles = [(f"/reservations/{name}/settle", {"usage": USAGE}) for name in ids]
            settled = await all_at_once(session, settles)

        assert {answer.body["cost_usd"] for answer in settled} == {"0.002910000"}
        assert tight(daemon)["used"] == used
        assert tight(daemon)["held"] == nothing
        assert daemon.stop() == 0
    report = verify(daemon.data_dir)
    assert report.problems == []
    assert report.bookings == AFFORDED


def call(number: int) -> dict[str, Any]:
    return CALL | {"component": f"component-{number % COMPONENTS}"}


async def all_at_once(
    session: aiohttp.ClientSession, requests: list[tuple[str, dict[str, Any]]]
) -> list[Answer]:
    answers: list[Answer] = []

    async def ask(path: str, body: dict[str, Any]) -> None:
        async with session.post(PREFIX + path, json=body) as response:
            answers.append(Answer(response.status, response.headers, await response.read()))

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for path, body in requests:
                group.start_soon(ask, path, body)
    return answers


def tight(daemon: Daemon) -> dict[str, Any]:
    (row,) = daemon.get("/balances?policy=tight").body["items"]
    return {name: row[name] for name in ("used", "held", "left")}


def check_denial(answer: Answer, axis: str) -> None:
    """It carries every number it rests on, and no SDK retries it by reflex."""
    _, limit, nothing, _ = TIGHT[axis]
    problem = answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["x-should-retry"] == "false"
    assert "Retry-After" not in answer.headers
    assert problem | {
        "type": "urn:budget:denied", "status": 402, "code": "denied", "policy": "tight",
        "axis": axis, "limit": limit, "used": nothing, "held": limit, "left": nothing,
        "resets_at": None, "fits": None, "cheaper": [],
    } == problem  # fmt: skip
    assert "tight" in problem["detail"]
    assert problem["title"]
