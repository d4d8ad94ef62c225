"""No limit is passed because many callers looked at the same time: of 500 at once, 50 get in."""

from collections.abc import Iterator
from itertools import batched
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest

from daemon.journal.verify import verify
from tests.daemon_process import PREFIX, Daemon, running

pytestmark = pytest.mark.anyio

CALLERS, AFFORDED = 500, 50
CALL = {"model": "claude-haiku-4-5", "input_tokens": 500, "max_output_tokens": 500, "priority": 9}
USAGE = {"input_tokens": 400, "cache_read_input_tokens": 100, "output_tokens": 500}
"""What each call holds: 1,000 tokens and, at 1 and 5 dollars a million, 0.003 dollars."""

LIMITS = {
    "usd": ('{ usd = "0.150" }', "0.150000000", "0.000000000"),
    "tokens": ("{ tokens = 50_000 }", 50_000, 0),
    "calls": ("{ calls = 50 }", 50, 0),
}
"""For each axis what affords 50: as configured, as shown, and as shown when nothing is left."""

ROOMY = """
[[policy]]
name = "roomy-0"
limit = {{ usd = "900", tokens = 900_000_000, calls = 900_000 }}
period = "hourly"
[[policy]]
name = "roomy-1"
each = "component"
limit = {{ usd = "900", tokens = 900_000_000 }}
period = "daily"
zone = "Europe/Berlin"
[[policy]]
name = "roomy-2"
each = "model"
limit = {{ usd = "900" }}
period = "weekly"
[[policy]]
name = "roomy-3"
match = {{ provider = "anthropic", model = "claude-*" }}
limit = {{ tokens = 900_000_000 }}
period = "monthly"
[[policy]]
name = "roomy-4"
limit = {{ calls = 900_000 }}
period = "total"
[[policy]]
name = "roomy-5"
limit = {{ usd = "900", calls = 900_000 }}
period = "rolling:5h"
[[policy]]
name = "roomy-6"
limit = {{ tokens = 900_000_000 }}
period = "per_session"
[[policy]]
name = "roomy-7"
match = {{ tags = {{ project = "lab-*" }} }}
limit = {{ usd = "900" }}
period = "per_task"
[[policy]]
name = "exhausted-but-only-warns"
limit = {{ usd = "0", tokens = 0, calls = 0 }}
period = "daily"
enforce = "warn"
[[policy]]
name = "exhausted-but-soft"
limit = {{ usd = "0" }}
period = "daily"
enforce = "soft"
[[policy]]
name = "tight"
limit = {limit}
period = "total"
[daemon]
socket = "{socket}"
"""


@pytest.fixture(params=LIMITS)
def axis(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def daemon(tmp_path: Path, axis: str) -> Iterator[Daemon]:
    limit, _, _ = LIMITS[axis]
    with running(tmp_path, ROOMY.format(limit=limit, socket=tmp_path / "s")) as running_daemon:
        yield running_daemon


async def test_exactly_as_many_as_the_limit_affords_are_let_in(daemon: Daemon, axis: str) -> None:
    async with daemon.session() as session:
        held, denied = sorted_out(await all_at_once(session))
        check_denials(denied, axis)
        standing = await tight(session)
        assert standing["held"] == LIMITS[axis][1]
        assert standing["left"] == LIMITS[axis][2]

        await settle_all(session, held)
        standing = await tight(session)
        assert standing["held"] == LIMITS[axis][2]
