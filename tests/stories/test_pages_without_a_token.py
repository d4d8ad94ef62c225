"""Hephaestus' page brings no token: what it may is said in budget.toml, and only for its origin."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.daemon_process import Daemon, running

UI = "http://localhost:8080"
CALL = {
    "component": "apollo", "provider": "openai", "model": "gpt-4o", "context_id": "one",
    "input_tokens": 1000, "output_tokens": 100,
}  # fmt: skip


def config(role: str) -> str:
    return f"""
[daemon]
origins = ["{UI}"]
page_role = "{role}"

[[policy]]
name = "lab-daily"
budget = "lab"
limit = {{ usd = "5.00" }}
period = "daily"
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("home"), config("read")) as started:
        yield started


def page(daemon: Daemon, path: str, origin: str | None = UI, body: object = None) -> Request:
    request = Request(f"{daemon.told['url']}/api/v1{path}")
    if origin is not None:
        request.add_header("Origin", origin)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    return request


def status_of(request: Request) -> int:
    try:
        with urlopen(request) as answer:
            return int(answer.status)
    except OSError as refused:
        return int(getattr(refused, "code", 0))


def test_the_page_shows_what_was_spent_and_of_how_much(daemon: Daemon) -> None:
    """The very calls of the shipped page, and what it does with the answers."""
    assert daemon.post("/usage/record", CALL).status == 201

    with urlopen(page(daemon, "/budgets")) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == UI
        budget = json.load(answer)["items"][0]["budget_id"]
    with urlopen(page(daemon, f"/budgets/{budget}/summary?period=daily")) as answer:
        summary = json.load(answer)
    assert f"${summary[0]['spent']:.2f} / ${summary[0]['limit']:.2f}" == "$0.00 / $5.00"
    with urlopen(page(daemon, "/usage/records?limit=20")) as answer:
        (row,) = json.load(answer)["items"]
    assert (row["total_tokens"], f"{row['cost']:.4f}") == (1100, "0.0035")


def test_it_may_look_and_no_more(daemon: Daemon) -> None:
    assert status_of(page(daemon, "/usage/record", body=CALL)) == 403
    assert status_of(page(daemon, "/budgets", body={"name": "mine"})) == 403
    assert status_of(page(daemon, "/tokens")) == 403


@pytest.mark.parametrize(("origin", "status"), [(None, 401), ("https://evil.example", 403)])
def test_nobody_else_gets_in_by_it(daemon: Daemon, origin: str | None, status: int) -> None:
    assert status_of(page(daemon, "/budgets", origin)) == status


def test_a_page_with_a_wrong_token_is_not_helped(daemon: Daemon) -> None:
    wrong = page(daemon, "/budgets")
    wrong.add_header("Authorization", "Bearer tkb_nobody")

    assert status_of(wrong) == 401


def test_without_the_setting_a_page_needs_a_token(tmp_path: Path) -> None:
    with running(tmp_path, config("none")) as daemon:
        assert status_of(page(daemon, "/budgets")) == 401
