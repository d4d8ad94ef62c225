"""Tokens: what each role may do, and that nobody reaches into another component's holds."""

from collections.abc import Iterator

import pytest

from tests.daemon_process import Daemon, running
from tests.stories.words import CALL, USAGE, made, refused, reserve

CONFIG = """
[[token]]
name = "apollo"
role = "report"
components = ["apollo", "apollo/child"]

[[token]]
name = "foreman"
role = "report"

[[token]]
name = "dashboard"
role = "read"
"""
APOLLO, RHETOR = CALL | {"component": "apollo"}, CALL | {"component": "rhetor"}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("home"), CONFIG) as started:
        yield started


@pytest.fixture(scope="module")
def apollo(daemon: Daemon) -> str:
    return daemon.token_of("apollo")


@pytest.fixture(scope="module")
def dashboard(daemon: Daemon) -> str:
    return daemon.token_of("dashboard")


def test_a_reader_looks_and_holds_nothing(daemon: Daemon, dashboard: str) -> None:
    for path in ("/balances", "/policies", "/reservations", "/entries", "/prices?limit=1"):
        assert daemon.get(path, token=dashboard).status == 200
    made(daemon.post("/check", APOLLO, token=dashboard), 200)

    problem = refused(daemon.post("/reservations", APOLLO, token=dashboard), 403, "forbidden")
    assert (problem["needs"], problem["has"]) == ("report", "read")
    held = reserve(daemon, "apollo")
    settle = f"/reservations/{held['reservation_id']}/settle"
    refused(daemon.post(settle, {"usage": USAGE}, token=dashboard), 403, "forbidden")


def test_a_reporter_changes_no_policy(daemon: Daemon) -> None:
    foreman = daemon.token_of("foreman")
    made(daemon.post("/reservations", RHETOR, token=foreman))
    policy = {"name": "mine", "limit": {"usd": "1"}, "period": "daily"}

    refused(daemon.post("/policies", policy, token=foreman), 403, "forbidden")
    refused(daemon.post("/budgets", {"name": "mine"}, token=foreman), 403, "forbidden")
    refused(daemon.call("DELETE", "/api/v1/policies/mine", token=foreman), 403, "forbidden")


def test_a_scoped_token_spends_for_its_own_components_only(daemon: Daemon, apollo: str) -> None:
    made(daemon.post("/reservations", APOLLO, token=apollo))
    made(daemon.post("/reservations", APOLLO | {"component": "apollo/child"}, token=apollo))

    usage = {"component": "rhetor", "model": "gpt-5", "usage": USAGE}
    allocation = {"component": "rhetor", "context_id": "s"}
    for path, body in (
        ("/reservations", RHETOR),
        ("/reservations", APOLLO | {"component": "apollo/chil"}),
        ("/check", RHETOR),
        ("/explain", RHETOR),
        ("/usage", usage),
        ("/allocations", allocation),
    ):
        refused(daemon.post(path, body, token=apollo), 403, "forbidden")


def test_a_foreign_hold_looks_like_one_that_never_was(daemon: Daemon, apollo: str) -> None:
    foreign = reserve(daemon, "rhetor")["reservation_id"]
    unknown = f"{foreign[:-1]}{'0' if foreign[-1] != '0' else '1'}"
    ended = reserve(daemon, "rhetor")["reservation_id"]
    made(daemon.post(f"/reservations/{ended}/release", {}), 200)

    def told(name: str, path: str, body: object) -> str:
        method = "GET" if body is None else "POST"
        answer = daemon.call(method, f"/api/v1/reservations/{name}{path}", body, token=apollo)
        refused(answer, 404, "not-found")
        return answer.raw.decode().replace(name, "…")

    for path, body in (
        ("", None), ("/settle", {"usage": USAGE}), ("/release", {}), ("/extend", {"usd": "1"}),
    ):  # fmt: skip
        assert told(foreign, path, body) == told(unknown, path, body) == told(ended, path, body)
    assert daemon.get(f"/reservations/{foreign}").body["status"] == "held"


def test_a_foreign_allocation_pays_for_nothing(daemon: Daemon, apollo: str) -> None:
    body = {"component": "rhetor", "context_id": "s", "tokens": 9_000}
    name = made(daemon.post("/allocations", body))["allocation_id"]

    refused(daemon.get(f"/allocations/{name}", token=apollo), 404, "not-found")
    refused(daemon.post(f"/allocations/{name}/release", {}, token=apollo), 404, "not-found")
    drawn = daemon.post("/reservations", APOLLO | {"allocation_id": name}, token=apollo)
    refused(drawn, 409, "hold-ended")
    assert daemon.get(f"/allocations/{name}").body["held"]["tokens"] == 9_000


def test_a_scoped_token_names_the_component_it_looks_at(daemon: Daemon, apollo: str) -> None:
    for path in ("/reservations", "/allocations", "/entries", "/balances"):
        assert daemon.get(f"{path}?component=apollo", token=apollo).status == 200
        refused(daemon.get(path, token=apollo), 403, "forbidden")
        refused(daemon.get(f"{path}?component=rhetor", token=apollo), 403, "forbidden")


def test_a_batch_gives_nobody_more_rights(daemon: Daemon, apollo: str) -> None:
    foreign = reserve(daemon, "rhetor")["reservation_id"]
    policy = {"name": "mine", "limit": {"usd": "1"}, "period": "daily"}
    operations = [
        {"operation": "reserve", "body": APOLLO},
        {"operation": "reserve", "body": RHETOR},
        {"operation": "release", "body": {"reservation_id": foreign}},
        {"operation": "set_policy", "body": policy},
    ]

    answer = made(daemon.post("/batch", {"operations": operations}, token=apollo), 200)
    assert [result["status"] for result in answer["results"]] == [201, 403, 404, 403]


def test_each_caller_has_keys_of_its_own(daemon: Daemon, apollo: str) -> None:
    first = made(daemon.post("/reservations", APOLLO, key="same", token=apollo))
    second = made(daemon.post("/reservations", APOLLO, key="same"))

    assert first["reservation_id"] != second["reservation_id"]


def test_a_token_that_is_not_ours_is_told_so(daemon: Daemon, apollo: str) -> None:
    for token in ("sk-a-providers-key", apollo[:-1], f"{apollo}x", apollo.upper(), "é"):
        answer = daemon.post("/reservations", APOLLO, token=token)
        problem = refused(answer, 401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert token not in problem["detail"]
    assert "sk-a-providers-key" not in daemon.said
