"""Price sources that fail, lie, vanish or disagree: what is in force stays, and calls go on."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from daemon.journal.verify import verify
from tests.daemon_process import Daemon, running
from tests.harness import mirror as server
from tests.harness.mirror import Behaviour, Server, litellm_file, mirror, models_dev_file

CONFIG = """
[[price_source]]
name = "litellm"
url = "{litellm}"
allow_http = true
allow_private = true
timeout_s = 2.0
bytes_max = 1_000_000

[[price_source]]
name = "models.dev"
url = "{models_dev}"
allow_http = true
allow_private = true
timeout_s = 2.0

[[price_source]]
name = "genai-prices"
enabled = false
"""


@pytest.fixture(scope="module")
def files() -> Iterator[Server]:
    with mirror() as serving:
        yield serving


@pytest.fixture(scope="module")
def daemon(files: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for all stories; in the end its journal adds up."""
    config = CONFIG.format(litellm=files.url("/litellm"), models_dev=files.url("/models.dev"))
    with running(tmp_path_factory.mktemp("home"), config) as started:
        yield started
        assert started.stop() == 0
        assert verify(started.data_dir).problems == []


@pytest.fixture
def model(request: pytest.FixtureRequest, daemon: Daemon, files: Server) -> str:
    """A model of one's own, at 3 / 15 by both sources, and in force."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[-100:].strip("-")
    say(files, name, 3, 15)
    assert refresh(daemon)["models"]["rejected"] == 0
    if source(daemon)["state"] == "held":  # the story before left a file of another kind
        assert daemon.post("/prices/sources/approve", {"source": "litellm"}).status == 200
    assert in_force(daemon, name) == {"input": "3", "output": "15"}
    return name


def say(files: Server, model: str, read: float, written: float, **only: Any) -> None:
    """Both sources say this; with `litellm=(…)` that one says something else, or nothing."""
    rates = {"input": read, "output": written}
    first = only.get("litellm", rates)
    files.serve("/litellm", litellm_file({model: first} if first else {}))
    files.serve("/models.dev", models_dev_file({model: rates}))


def refresh(daemon: Daemon) -> Any:
    answer = daemon.post("/prices/refresh", {})
    assert answer.status == 200, answer.body
    return answer.body


def in_force(daemon: Daemon, model: str) -> Any:
    found = daemon.get(f"/prices/one?provider=acme&model={model}").body
    return None if found["version"] is None else found["version"]["price"]["rates"]


def case(daemon: Daemon, model: str) -> Any:
    return daemon.get(f"/prices/one?provider=acme&model={model}").body["case"]


def source(daemon: Daemon, name: str = "litellm") -> Any:
    items = daemon.get("/prices/sources").body["items"]
    return next(item for item in items if item["name"] == name)


def open_alerts(daemon: Daemon) -> Any:
    return daemon.get("/alerts?state=open").body["items"]


def reserve(daemon: Daemon, model: str) -> int:
    call = {"component": "apollo", "provider": "acme", "model": model}
    body = {**call, "input_tokens": 1000, "max_output_tokens": 100}
    return daemon.post("/reservations", body).status


HTML = b"<!doctype html><html>Service unavailable</html>"
FEW = b'{"acme/m": {"litellm_provider": "acme", "mode": "chat", "input_cost_per_token": 1e-6}}'


FAULTS: dict[str, tuple[Behaviour, str]] = {
    "hangs": (server.hang, "timeout"),
    "drips": (server.drip, "timeout"),
    "never ends": (server.endless, "too-large"),
    "is a bomb": (server.bomb, "too-large"),
    "breaks off": (server.cut_off, "connection"),
    "is gone": (server.status(404), "status"),
    "has an error": (server.status(500), "status"),
    "redirects": (server.redirect("http://127.0.0.1:1/"), "redirect"),
    "shows a page": (server.page(HTML), "shape"),
    "sends half": (server.page(litellm_file({})[:-50]), "shape"),
    "sends a list": (server.page(b"[]"), "shape"),
    "sends next to nothing": (server.page(FEW), "shape"),
    "sends NaN": (server.page(b'{"a": NaN}'), "shape"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_source_that_fails_changes_nothing_and_says_why(
    daemon: Daemon, files: Server, model: str, fault: str
) -> None:
    before = source(daemon)
    files.doing["/litellm"], reason = FAULTS[fault]

    refresh(daemon)

    now = source(daemon)
    assert now["state"] == "failed"
    assert now["failure"].startswith(f"{reason}: ")
    kept = {"fetched_at", "models", "sha256"}
    assert {k: now[k] for k in kept} == {k: before[k] for k in kept}, "the last good file is in use"
    assert in_force(daemon, model) == {"input": "3", "output": "15"}
    assert "price source litellm failed, its last file stays in use" in daemon.said
    (alert,) = [one for one in open_alerts(daemon) if one["type"] == "source.failed"]
    assert (alert["subject"], alert["data"]["reason"]) == ("litellm", reason)
    say(files, model, 3, 15)
    refresh(daemon)
    assert not [one for one in open_alerts(daemon) if one["type"] == "source.failed"]


def test_304_for_ever_keeps_the_file_and_makes_it_no_older(
    daemon: Daemon, files: Server, model: str
) -> None:
    before = source(daemon)
    files.doing["/litellm"] = server.status(304)
    refresh(daemon)

    now = source(daemon)
    assert (now["state"], now["sha256"]) == ("ok", before["sha256"])
    assert now["fetched_at"] > before["fetched_at"]
    assert in_force(daemon, model) == {"input": "3", "output": "15"}


def test_calls_go_on_while_a_source_hangs(daemon: Daemon, files: Server, model: str) -> None:
    files.doing["/litellm"] = server.hang
    files.arrived.clear()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(refresh, daemon)
        assert files.arrived.wait(10)
        assert [reserve(daemon, model) for _ in range(20)] == [201] * 20
        assert daemon.post("/prices/refresh", {}).status == 429, "one refresh at a time"
        waiting.result()
    assert source(daemon)["failure"].startswith("timeout: ")


def test_what_both_sources_move_takes_effect_at_once(
    daemon: Daemon, files: Server, model: str
) -> None:
    say(files, model, 4, 20)
    assert refresh(daemon)["models"]["applied"] == 1

    assert in_force(daemon, model) == {"input": "4", "output": "20"}
    ask = {"provider": "acme", "model": model, "usage": {"input": 1_000_000}}
    assert daemon.post("/prices/quote", ask).body["cost_usd"] == "4.000000000"
    history = daemon.get(f"/prices/history?provider=acme&model={model}").body["items"]
    assert [one["in_force"] for one in history] == [True, False]
    assert set(history[0]["sources"]) == {"litellm", "models.dev"}


@pytest.mark.parametrize(
    ("litellm", "guard"),
    [
        ({"input": 3.5, "output": 15.0}, None),  # one dissents; the other says what is in force
        ({"input": 0.0, "output": 15.0}, "range"),
        ({"input": 300_000.0, "output": 1_500_000.0}, "range"),
        ({"input": 0.000003, "output": 0.000015}, "range"),
        ({"input": -3.0, "output": 15.0}, "row"),
        ({"input": 1e308, "output": 15.0}, "range"),
        (None, "vanished"),
    ],
)
def test_nonsense_in_one_row_is_not_applied(
    daemon: Daemon, files: Server, model: str, litellm: Any, guard: str | None
) -> None:
    say(files, model, 3, 15, litellm=litellm)
    found = refresh(daemon)

    assert in_force(daemon, model) == {"input": "3", "output": "15"}
    assert found["models"]["applied"] == 0
    if guard == "row":
        assert source(daemon)["rejected_rows"] == 1


@pytest.mark.parametrize(
    ("read", "written", "guard"),
    [
        (18.0, 90.0, "leap"),  # six times
        (0.3, 1.5, "leap"),
        (0.0, 0.0, "zero"),
        (300_000.0, 1_500_000.0, "range"),
    ],
)
def test_what_both_say_and_nobody_may_believe_waits_for_a_person(
    daemon: Daemon, files: Server, model: str, read: float, written: float, guard: str
) -> None:
    say(files, model, read, written)
    assert refresh(daemon)["guards"] == {guard: 1}

    assert in_force(daemon, model) == {"input": "3", "output": "15"}
    waiting = case(daemon, model)
    assert (waiting["state"], waiting["guard"]) == ("open", guard)
    assert set(waiting["says"]) == {"litellm", "models.dev"}


def test_two_that_disagree_over_a_new_model_are_both_not_believed(
    daemon: Daemon, files: Server, model: str
) -> None:
    new = f"{model}-new"
    say(files, new, 3, 15, litellm={"input": 2.0, "output": 15.0})
    assert refresh(daemon)["guards"] == {"disputed": 1}

    assert in_force(daemon, new) is None
    assert reserve_unpriced(daemon, new) == "unpriced"


def reserve_unpriced(daemon: Daemon, model: str) -> str:
    policy = {"name": "usd", "limit": {"usd": "100"}, "period": "daily", "enforce": "hard"}
    assert daemon.post("/policies", policy).status == 201
    call = {"component": "apollo", "provider": "acme", "model": model, "input_tokens": 10}
    answer = daemon.post("/reservations", call)
    daemon.delete("/policies/usd")
    code: str = answer.body["code"]
    return code


THREE = {"input": 3.0, "output": 15.0}


def dearer(first: int) -> dict[str, dict[str, float]]:
    """Nine models of a hundred, all at once."""
    return {f"filler-{n}": {"input": 1.5, "output": 4.0} for n in range(first, first + 9)}


def test_a_file_that_changed_too_much_is_kept_aside_until_a_person_takes_it(
    daemon: Daemon, files: Server, model: str
) -> None:
    files.serve("/litellm", litellm_file({model: THREE} | dearer(0)))
    refresh(daemon)
    assert source(daemon)["state"] == "held"
    assert "prices changed at once" in source(daemon)["failure"]

    assert daemon.post("/prices/sources/approve", {"source": "litellm"}).status == 200
    assert source(daemon)["state"] == "ok"
    assert in_force(daemon, "filler-1") == {"input": "1", "output": "4"}, "row by row it is alone"


def test_the_files_outlive_a_restart_and_a_held_one_stays_held(
    daemon: Daemon, files: Server, model: str
) -> None:
    in_use = source(daemon, "models.dev")
    files.serve("/litellm", litellm_file({model: THREE} | dearer(20)))
    refresh(daemon)
    assert daemon.stop() == 0
    daemon.start()

    again = source(daemon, "models.dev")
    assert (again["sha256"], again["models"]) == (in_use["sha256"], in_use["models"])
    assert source(daemon)["state"] == "held"
    assert in_force(daemon, model) == {"input": "3", "output": "15"}

    say(files, model, 3, 15)
    refresh(daemon)
    assert source(daemon)["state"] == "ok", "it is the file that was in use before"


def test_how_old_prices_are_is_told_to_anybody(daemon: Daemon, model: str) -> None:
    ready = daemon.call("GET", "/ready").body
    assert {one["name"] for one in ready["price_sources"]} == {"litellm", "models.dev"}
    assert all(isinstance(one["age_s"], int) for one in ready["price_sources"])
    assert model
