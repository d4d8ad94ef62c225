"""`budget events` and `budget alerts` with a real daemon."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.conftest import Run, clean_environ, command

CALL = ("reserve", "apollo", "gpt-5-mini", "--in", "1k", "--out", "1k")


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("events")
    return clean_environ(home) | {"BUDGET_DATA_DIR": str(home / "data")}


@pytest.fixture(scope="module")
def up(environ: dict[str, str]) -> Iterator[Run]:
    """A daemon on which one call was made and two were refused."""
    budget = command(environ, Path(environ["HOME"]))
    assert budget("up", "--port", "0").returncode == 0
    assert budget("policy", "set", "one", "--calls", "1", "--period", "daily").returncode == 0
    assert [budget(*CALL).returncode for _ in range(3)] == [0, 5, 5]
    yield budget
    assert budget("down").returncode == 0


def kinds(text: str) -> list[str]:
    types = [json.loads(line)["type"] for line in text.splitlines()]
    return [kind.removeprefix("dev.tekton.budget.").removesuffix(".v1") for kind in types]


def test_events_are_told_in_words_and_as_json(up: Run) -> None:
    told = up("events")
    assert "one stands at 1 calls of 1 calls" in told.stdout
    assert "apollo and gpt-5-mini were refused by one" in told.stdout
    assert kinds(up("events", "--type", "call.denied", "-o", "jsonl").stdout) == ["call.denied"] * 2
    last = json.loads(up("events", "--limit", "1", "-o", "jsonl").stdout)
    after = str(last["seq"] - 1)
    assert kinds(up("events", "--after", after, "-o", "jsonl").stdout) == ["call.denied"]


def test_follow_goes_on_with_what_comes(up: Run, environ: dict[str, str]) -> None:
    follow = [sys.executable, "-P", "-m", "daemon", "events", "-f", "--after", "0", "-o", "jsonl"]
    with subprocess.Popen(
        follow, stdout=subprocess.PIPE, env=environ, text=True, cwd=environ["HOME"]
    ) as process:
        assert process.stdout is not None
        assert kinds(process.stdout.readline()) == ["policy.changed"]
        up("policy", "set", "two", "--usd", "9", "--period", "daily")
        for line in process.stdout:
            if json.loads(line)["subject"] == "two":
                break
        process.terminate()


def test_an_alert_is_listed_shown_and_acknowledged(up: Run) -> None:
    assert "2 times" in up("alerts", "list", "--type", "call.denied").stdout
    (alert,) = json.loads(up("alerts", "list", "--type", "call.denied", "--json").stdout)["items"]
    number = alert["alert_id"].removeprefix("alr_").lstrip("0")
    assert "policy         one" in up("alerts", "show", number).stdout
    seen = up("alerts", "ack", number, "--note", "raised on Monday")
    assert "acknowledged by admin" in seen.stdout
    assert "raised on Monday" in up("alerts", "show", number).stdout
    assert json.loads(up("alerts", "list", "--type", "call.denied", "--json").stdout)["items"] == []
    unknown = up("alerts", "ack", "99999")
    assert (unknown.returncode, unknown.stderr.splitlines()[0]) == (
        4, "error: there is no alert alr_0000000000099999",
    )  # fmt: skip
    assert up("alerts", "ack", "what").returncode == 2


def test_channels_are_listed_and_tried(up: Run) -> None:
    assert "log      log   ok" in up("alerts", "channels").stdout
    assert up("alerts", "test", "log").returncode == 0
    assert up("alerts", "test", "pager").returncode == 4
