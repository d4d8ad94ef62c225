"""The pages Tekton's tools look at, in the shapes they read, and how a component is stopped."""

import http.client
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.daemon_process import Answer, Daemon, answer_of, running

UI = "http://localhost:8080"
CONFIG = f"""
[daemon]
origins = ["{UI}"]

[[token]]
name = "viewer"
role = "read"
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("home"), CONFIG) as started:
        yield started


def anybody(daemon: Daemon, method: str, path: str, body: object = None, **more: str) -> Answer:
    """As Tekton's tools ask: without a token."""
    place = urlsplit(daemon.told["url"])
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        return answer_of(connection.getresponse())
    finally:
        connection.close()


def port(daemon: Daemon) -> int:
    found = urlsplit(daemon.told["url"]).port
    assert found is not None
    return found


def test_health_has_every_field_tekton_reads(daemon: Daemon) -> None:
    health = anybody(daemon, "GET", "/health")

    assert health.status == 200
    assert health.body.keys() == {
        "status", "component", "version", "timestamp", "uptime", "port", "registered",
        "registeredWithHermes", "dependencies", "metrics", "details",
    }  # fmt: skip
    assert health.body["status"] == "healthy"
    assert health.body["component"] == "budget"
    assert health.body["port"] == port(daemon)
    assert health.body["registered"] is health.body["registeredWithHermes"] is False


def test_ready_and_status_tell_anybody_that_it_runs(daemon: Daemon) -> None:
    ready = anybody(daemon, "GET", "/ready").body
    status = anybody(daemon, "GET", "/status").body

    assert ready["ready"] is True
    assert ready["component"] == status["component"] == "budget"
    assert 0 < ready["initializationTime"] < 60
    assert ready["checks"] == {"journal": "running", "policy": "running"}
    assert (status["status"], status["health"]) == ("running", "healthy")
    assert set(status["capabilities"]) == {
        "budget_allocation", "cost_tracking", "usage_reporting", "assistant_service",
    }  # fmt: skip
    assert "actors" not in status, "what an operator sees needs a token"
    assert "actors" in daemon.call("GET", "/status", token=daemon.token_of("viewer")).body


def test_the_root_says_who_it_is(daemon: Daemon) -> None:
    root = anybody(daemon, "GET", "/").body

    assert root.keys() == {"name", "version", "description", "status", "docs"}
    docs = anybody(daemon, "GET", root["docs"])
    assert (docs.status, docs.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "script-src 'self'" in docs.headers["Content-Security-Policy"]


class Read(HTMLParser):
    """What a page names, where its links go, and what it fetches."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.ids += [one for one in [told.get("id")] if one]
        if tag == "a":
            self.links.add(told["href"] or "")
        elif tag in ("link", "script", "img", "iframe"):
            self.fetched.append(told.get("href") or told.get("src") or "inline")


def test_the_page_of_operations_has_every_one_and_nothing_of_anybody_else(daemon: Daemon) -> None:
    page = Read(anybody(daemon, "GET", "/api/v1/docs").raw.decode())
    spec = anybody(daemon, "GET", "/api/v1/openapi.json").body

    assert len(page.ids) == len(set(page.ids))
    named = {one["operationId"] for on in spec["paths"].values() for one in on.values()}
    assert named | set(spec["components"]["schemas"]) <= set(page.ids)
    assert page.links - {"openapi.json"} <= {f"#{name}" for name in page.ids}
    assert page.fetched
    for place in page.fetched:
        assert place.startswith("/page/")
        assert anybody(daemon, "GET", place).status == 200


def test_what_is_discovered_is_there(daemon: Daemon) -> None:
    found = anybody(daemon, "GET", "/api/v1/discovery").body
    documented: dict[str, Any] = anybody(daemon, "GET", "/api/v1/openapi.json").body["paths"]

    assert found["component"] == "budget"
    assert {(one["method"], one["path"]) for one in found["endpoints"]} == {
        (method.upper(), path) for path, methods in documented.items() for method in methods
    }
    assert found["dependencies"] == {}


def test_who_asks_for_work_is_told_that_there_is_none(daemon: Daemon) -> None:
    look = {"component": "penia", "action": "look_for_work"}
    ask = {"purpose": "check_work", "dest": "penia", "payload": look}

    told = anybody(daemon, "POST", "/workflow", ask)
    assert (told.status, told.body["status"], told.body["work_count"]) == (200, "success", 0)
    other = anybody(daemon, "POST", "/workflow", {**ask, "dest": "apollo"})
    assert (other.status, other.body["status"]) == (200, "error")
    later = anybody(daemon, "POST", "/workflow", {**ask, "purpose": "dance"})
    assert (later.status, later.body["status"]) == (200, "not_implemented")
    bad = anybody(daemon, "POST", "/workflow", {"purpose": "check_work"})
    assert (bad.status, bad.body["detail"]) == (400, "Missing required fields: ['dest', 'payload']")


def test_a_page_of_a_named_origin_may_call_and_read(daemon: Daemon) -> None:
    asked = anybody(
        daemon, "OPTIONS", "/api/v1/budgets", Origin=UI,
        Access_Control_Request_Method="GET", Access_Control_Request_Headers="authorization",
    )  # fmt: skip
    assert asked.status == 204
    assert asked.headers["Access-Control-Allow-Origin"] == UI
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]

    health = anybody(daemon, "GET", "/health", Origin=UI)
    refused = anybody(daemon, "GET", "/api/v1/budgets", Origin=UI)
    assert (health.status, refused.status) == (200, 401)
    for answer in (health, refused):
        assert answer.headers["Access-Control-Allow-Origin"] == UI
    assert "Access-Control-Allow-Origin" not in anybody(daemon, "GET", "/health").headers


def test_a_page_nobody_named_may_not(daemon: Daemon) -> None:
    foreign = anybody(
        daemon, "OPTIONS", "/api/v1/budgets", Origin="https://evil.example",
        Access_Control_Request_Method="GET",
    )  # fmt: skip

    assert foreign.status == 403
    assert "Access-Control-Allow-Origin" not in foreign.headers


@pytest.mark.parametrize("path", ["/shutdown", "/api/shutdown"])
def test_only_an_admin_may_stop_it(daemon: Daemon, path: str) -> None:
    assert anybody(daemon, "POST", path).status == 401
    assert daemon.call("POST", path, token=daemon.token_of("viewer")).status == 403
    assert daemon.alive


def test_it_stops_in_order_when_an_admin_says_so(daemon: Daemon) -> None:
    stopping = daemon.call("POST", "/shutdown")

    assert (stopping.status, stopping.body["status"]) == (202, "accepted")
    assert daemon.wait() == 0
