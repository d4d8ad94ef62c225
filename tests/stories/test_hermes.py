"""Our place at Hermes: found again after everything Hermes does, and never in a budget's way."""

import socket
import time
from collections.abc import Iterator

import pytest

from protocols.operations import OPERATIONS
from tests.daemon_process import Daemon, running
from tests.harness.hermes import FakeHermes, fake_hermes

REGISTER = "POST /api/register 200"
BEAT = "POST /api/heartbeat 200"
LOOK = "GET /api/components 200"
RESERVE = {"component": "apollo", "model": "gpt-4o", "input_tokens": 10, "max_output_tokens": 10}


def config(url: str, name: str = "budget") -> str:
    return f"""
[holds]
sweep_s = 0.05

[hermes]
url = "{url}"
name = "{name}"
heartbeat_s = 0.1
check_s = 0.2
timeout_s = 0.5
"""


@pytest.fixture(scope="module")
def hermes() -> Iterator[FakeHermes]:
    with fake_hermes() as started:
        yield started


@pytest.fixture(scope="module")
def daemon(hermes: FakeHermes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("home"), config(f"{hermes.url}/api")) as started:
        yield started


def place(daemon: Daemon) -> dict[str, object]:
    answer: dict[str, object] = daemon.call("GET", "/status").body["hermes"]
    return answer


def wait_until_registered(daemon: Daemon) -> None:
    deadline = time.monotonic() + 10
    while place(daemon)["state"] != "registered":
        assert time.monotonic() < deadline, place(daemon)


def test_it_is_listed_under_its_name_and_beats(daemon: Daemon, hermes: FakeHermes) -> None:
    hermes.wait_for(BEAT, LOOK, BEAT)
    wait_until_registered(daemon)

    entry = hermes.components["budget"]
    assert entry["name"] == "budget"
    assert entry["endpoint"] == daemon.told["url"]
    assert entry["metadata"]["type"] == "budget"
    assert {"budget_allocation", "cost_tracking"} <= set(entry["capabilities"])
    assert entry["last_heartbeat"] is not None
    told = {operation.tool.name for operation in OPERATIONS if operation.tool is not None}
    assert hermes.tools.keys() == told
    assert all(tool["description"] and tool["schema"] for tool in hermes.tools.values())


def test_a_hermes_that_has_forgotten_us_is_told_again(daemon: Daemon, hermes: FakeHermes) -> None:
    """It thanks for every heartbeat meanwhile."""
    hermes.wait_for(BEAT)
    since = len(hermes.asked)
    hermes.forget()

    hermes.wait_for(LOOK, REGISTER, BEAT, since=since)
    assert hermes.components.keys() == {"budget"}
    wait_until_registered(daemon)


def test_an_expired_token_is_renewed(daemon: Daemon, hermes: FakeHermes) -> None:
    hermes.wait_for(BEAT)
    since = len(hermes.asked)
    hermes.expire()

    hermes.wait_for("POST /api/heartbeat 401", REGISTER, BEAT, since=since)
    wait_until_registered(daemon)


def test_a_hermes_that_hangs_keeps_nobody_waiting(daemon: Daemon, hermes: FakeHermes) -> None:
    wait_until_registered(daemon)
    hermes.hang()
    daemon.lines.clear()
    daemon.wait_for("timeout: no answer within 0.5 s")

    assert daemon.post("/reservations", RESERVE).status == 201
    assert place(daemon)["state"] == "trying"
    health = daemon.call("GET", "/health")
    assert (health.status, health.body["registered"]) == (200, False)

    hermes.awake()
    hermes.wait_for(LOOK, BEAT)
    wait_until_registered(daemon)
    assert place(daemon)["failure"] is None


def test_the_token_is_seen_nowhere(daemon: Daemon, hermes: FakeHermes) -> None:
    hermes.wait_for(BEAT)

    assert "signature" not in daemon.call("GET", "/status").raw.decode()
    assert "signature" not in daemon.said


def test_hermes_comes_later_restarts_are_no_doubles_and_a_stop_says_goodbye(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("home")
    port = free_port()
    with running(home, config(f"http://127.0.0.1:{port}", "penia")) as daemon:
        daemon.wait_for("penia at Hermes: connection")
        assert daemon.post("/reservations", RESERVE).status == 201
        assert daemon.call("GET", "/ready").status == 200
        health = daemon.call("GET", "/health").body
        assert (health["registered"], health["registeredWithHermes"]) == (False, False)

        with fake_hermes(port) as hermes:
            hermes.wait_until(lambda: BEAT in hermes.asked)
            wait_until_registered(daemon)
            assert daemon.call("GET", "/health").body["registered"] is True
            daemon.kill()
            hermes.asked.clear()
            daemon.start()
            hermes.wait_until(lambda: {REGISTER, BEAT} <= set(hermes.asked))
            assert hermes.components.keys() == {"penia"}

            assert daemon.stop() == 0
            assert hermes.components == {}
            assert hermes.tools == {}


def test_a_hermes_that_hangs_does_not_hold_a_stop_up(daemon: Daemon, hermes: FakeHermes) -> None:
    wait_until_registered(daemon)
    hermes.hang()

    assert daemon.stop() == 0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
