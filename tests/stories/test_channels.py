"""Alerts on every way out: once each, with one id, across crashes, failures and quiet hours."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from daemon.channels.build import ways
from daemon.config import load
from daemon.config.problems import ConfigError
from daemon.journal.verify import verify
from tests.daemon_process import PREFIX, Daemon, running
from tests.harness.hook import Hook, Received, hook
from tests.stories.words import CALL

pytestmark = pytest.mark.anyio

CALLERS, AFFORDED = 200, 100
WITHIN_S = 120
POLICY = """
[holds]
sweep_s = 0.05

[[policy]]
name = "tight"
limit = { calls = 100 }
period = "total"
warn_at = [0.5, 0.8, 0.95]
"""
CHANNEL = """
[[channel]]
name = "ops"
kind = "webhook"
url = "{url}"
allow_http = true
allow_private = true
"""


async def reserve_all(daemon: Daemon, count: int) -> list[int]:
    async with daemon.session() as http:
        statuses: list[int] = []

        async def one() -> None:
            body = CALL | {"component": "crowd"}
            async with http.post(f"{PREFIX}/reservations", json=body) as answer:
                statuses.append(answer.status)

        async with anyio.create_task_group() as tasks:
            for _ in range(count):
                tasks.start_soon(one)
        return statuses


def crossings(events: list[dict[str, Any]]) -> list[tuple[float, str]]:
    return [
        (event["data"]["threshold"], event["id"])
        for event in events
        if "threshold" in event["data"]
    ]


async def by_websocket(daemon: Daemon, after: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with daemon.session() as http, http.ws_connect(f"/ws/budget/alerts?after={after}") as ws:
        while len(crossings(found)) < 4:
            message = await ws.receive_json()
            if message["type"] == "alert":
                found.append(message["payload"]["event"])
    return found


async def by_stream(daemon: Daemon, after: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    place = f"{PREFIX}/events?after={after}&alerts=true"
    async with daemon.session() as http, http.get(place) as answer:
        async for line in answer.content:
            if line.startswith(b"data: "):
                found.append(json.loads(line[6:]))
                if len(crossings(found)) == 4:
                    break
    return found


async def test_each_threshold_is_one_alert_on_every_way_out_also_after_a_kill(
    tmp_path: Path,
) -> None:
    with anyio.fail_after(WITHIN_S):
        async with hook() as receiver:
            with running(tmp_path, POLICY + CHANNEL.format(url=receiver.url)) as daemon:
                await reserve_all(daemon, 90)
                daemon.kill()
                daemon.start()
                statuses = await reserve_all(daemon, CALLERS - 90)
                assert statuses.count(201) == AFFORDED - 90
                told = crossings(await by_stream(daemon, 0))
                assert [share for share, _ in told] == [0.5, 0.8, 0.95, 1.0]
                assert crossings(await by_websocket(daemon, 0)) == told
                hooked: set[tuple[float, str]] = set()
                while len(hooked) < 4:
                    await receiver.until(len(receiver.received) + 1 if hooked else 1)
                    hooked = set(crossings([one.event for one in receiver.received]))
                assert hooked == set(told)
                alerts = daemon.get("/alerts?type=threshold.crossed").body["items"]
                assert len(alerts) == 3
                assert daemon.stop() == 0
            assert verify(daemon.data_dir).problems == []


@asynccontextmanager
async def hooked(place: Path, channel: str = "") -> AsyncIterator[tuple[Daemon, Hook]]:
    with anyio.fail_after(WITHIN_S):
        async with hook() as receiver:
            config = POLICY + CHANNEL.format(url=receiver.url) + channel
            with running(place, config) as daemon:
                yield daemon, receiver


def signature(daemon: Daemon, received: Received) -> str:
    """As the receiver works it out, from the file it was given."""
    text = (daemon.data_dir / "channels" / "ops").read_text().strip()
    key = base64.b64decode(text.removeprefix("whsec_"))
    headers = received.headers
    head = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode()
    digest = hmac.digest(key, head + received.body, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


async def test_a_webhook_is_signed_and_tried_again_under_the_same_id(tmp_path: Path) -> None:
    async with hooked(tmp_path) as (daemon, receiver):
        receiver.status = 500
        await reserve_all(daemon, 50)
        (first,) = await receiver.until(1)
        assert signature(daemon, first) == first.headers["webhook-signature"]
        assert first.headers["Content-Type"] == "application/cloudevents+json"
        failing = await anyio.to_thread.run_sync(
            daemon.until, "/channels", lambda body: channel(body)["state"] == "failing"
        )
        assert channel(failing)["failure"] == "it answers 500"
        written = "/outbox?type=channel.failing"
        await anyio.to_thread.run_sync(daemon.until, written, lambda body: body["items"])
        daemon.kill()
        receiver.status = 204
        daemon.start()
        again = (await receiver.until(2))[1]
        assert again.headers["webhook-id"] == first.headers["webhook-id"] == first.event["id"]
        await anyio.to_thread.run_sync(
            daemon.until, "/channels", lambda body: channel(body)["state"] == "ok"
        )
        written = "/outbox?type=channel.recovered"
        await anyio.to_thread.run_sync(daemon.until, written, lambda body: body["items"])


def channel(body: dict[str, Any], name: str = "ops") -> dict[str, Any]:
    (found,) = [one for one in body["items"] if one["name"] == name]
    return dict(found)


OTHERS = """
[[channel]]
name = "literal"
kind = "webhook"
url = "{url}"
allow_http = true

[[channel]]
name = "named"
kind = "webhook"
url = "{named}"
allow_http = true

[[channel]]
name = "plain"
kind = "webhook"
url = "{url}"
allow_private = true
"""


async def test_a_trial_says_whether_it_arrives_and_why_not(tmp_path: Path) -> None:
    """Redirects are not followed; plain http and private addresses are refused unless allowed."""
    with anyio.fail_after(WITHIN_S):
        async with hook() as receiver:
            named = receiver.url.replace("127.0.0.1", "localhost")
            others = OTHERS.format(url=receiver.url, named=named)
            with running(tmp_path, CHANNEL.format(url=receiver.url) + others) as daemon:

                async def trial(name: str) -> Any:
                    path = f"/channels/{name}/test"
                    return (await anyio.to_thread.run_sync(daemon.post, path, {})).body

                assert (await trial("ops"))["delivered"]
                receiver.status = 307
                assert (await trial("ops"))["failure"] == "it answers 307"
                assert "not a public address" in (await trial("literal"))["failure"]
                assert "not a public address" in (await trial("named"))["failure"]
                assert "not an https address" in (await trial("plain"))["failure"]
                assert len(receiver.received) == 2
                assert (await trial("log"))["delivered"]
                daemon.wait_for("a trial of this channel")
                hint = "there are: log, ops, literal, named, plain"
                assert (await trial("pager"))["hint"] == hint


async def test_a_burst_is_one_message_where_the_channel_groups(tmp_path: Path) -> None:
    async with hooked(tmp_path, 'group_s = 1\nseverity = "warning"\n') as (daemon, receiver):
        await reserve_all(daemon, 96)
        (one,) = await receiver.until(1)
        assert one.headers["Content-Type"] == "application/cloudevents-batch+json"
        assert [event["data"]["threshold"] for event in one.event] == [0.8, 0.95]


async def test_in_quiet_hours_only_what_is_critical_is_sent(tmp_path: Path) -> None:
    hour = time.gmtime().tm_hour
    quiet = f"{(hour - 1) % 24:02}:00-{(hour + 2) % 24:02}:00"
    async with hooked(tmp_path, f'quiet = "{quiet}"\n') as (daemon, receiver):
        await reserve_all(daemon, 100)
        (one,) = await receiver.until(1)
        assert one.event["data"]["threshold"] == 1.0
        states = {row["name"]: row["state"] for row in daemon.get("/channels").body["items"]}
        assert states == {"log": "ok", "ops urgent": "ok", "ops": "quiet"}


async def test_apprise_carries_the_words(tmp_path: Path) -> None:
    async with hook() as receiver:
        address = receiver.url.replace("http://", "json://")
        file = tmp_path / "alerts.urls"
        file.write_text(f"# the hall\n{address}\n")
        file.chmod(0o600)
        config = '[[channel]]\nname = "hall"\nkind = "apprise"\nurl_file = "alerts.urls"\n'
        config += "allow_private = true\n"
        with anyio.fail_after(WITHIN_S), running(tmp_path, POLICY + config) as daemon:
            await reserve_all(daemon, 50)
            (one,) = await receiver.until(1)
    assert one.event["title"] == "budget: threshold.crossed"
    assert one.event["message"] == "tight stands at 50 calls of 100 calls"


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('kind = "webhook"', "is of kind webhook and has no url"),
        (
            'kind = "webhook"\nurl = "https://me:secret@ops.example/"',
            "has a user or a password in its url",
        ),
        ('kind = "apprise"', "is of kind apprise and has no url_file"),
        ('kind = "apprise"\nurl_file = "none.urls"', "cannot be read"),
        ('kind = "apprise"\nurl_file = "wrong.urls"', "line 2 is no address that apprise knows"),
        ('quiet = "25:00-07:00"', "quiet"),
        ('severty = "info"', "did you mean severity"),
    ],
)
def test_a_table_that_cannot_work_is_refused_in_words(
    tmp_path: Path, table: str, told: str
) -> None:
    wrong = tmp_path / "wrong.urls"
    wrong.write_text("# nobody\nnowhere\n")
    wrong.chmod(0o600)
    file = tmp_path / "budget.toml"
    file.write_text(f'[[channel]]\nname = "x"\n{table}\n')
    environ = {"HOME": str(tmp_path), "BUDGET_DATA_DIR": str(tmp_path / "data")}
    with pytest.raises(ConfigError) as refused:
        ways(load(file, environ=environ))
    assert told in str(refused.value)
