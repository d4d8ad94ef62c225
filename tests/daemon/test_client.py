"""The command line's client, against a server that says what it is told to say."""

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from daemon import client
from daemon.client import Client
from protocols import errors
from protocols.operations import OPERATIONS

Json = dict[str, Any]


class Double:
    """A server in a thread: it remembers what it was asked, and answers from a list."""

    def __init__(self, server: socketserver.BaseServer, url: str) -> None:
        self.server = server
        self.url = url
        self.asked: list[Json] = []
        self.answers: list[tuple[int, Any]] = []

    def will_say(self, *bodies: Any, status: int = 200) -> None:
        self.answers += [(status, body) for body in bodies]


class Handler(BaseHTTPRequestHandler):
    """Answers everything with the next answer; bytes go out as they are, None hangs up."""

    protocol_version = "HTTP/1.1"
    double: Double

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.double.asked.append({
            "line": f"{self.command} {self.path}",
            "body": json.loads(body) if body else None,
            "token": self.headers.get("Authorization"),
            "key": self.headers.get("Idempotency-Key"),
        })  # fmt: skip
        status, told = self.double.answers.pop(0)
        if told is None:
            self.close_connection = True
            return
        text = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815  # the names of http.server

    def log_message(self, *_: object) -> None:
        pass

    def address_string(self) -> str:
        return "somebody"


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """HTTP over a unix socket."""

    daemon_threads = True


def serving(server: socketserver.BaseServer, handler: type[Handler], url: str) -> Iterator[Double]:
    handler.double = Double(server, url)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield handler.double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def double() -> Iterator[Double]:
    handler = type("TcpHandler", (Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    yield from serving(server, handler, f"http://127.0.0.1:{server.server_port}")


@pytest.fixture
def unix_double(tmp_path: Path) -> Iterator[Double]:
    handler = type("UnixHandler", (Handler,), {})
    path = str(tmp_path / "s")
    yield from serving(UnixServer(path, handler), handler, f"unix:{path}")


def nobodys_url() -> str:
    """Name a port that was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_the_routes_read_as_text_are_those_of_the_table() -> None:
    table = {operation.name: (operation.method, operation.path) for operation in OPERATIONS}

    assert client.routes() == table


def test_a_path_field_goes_into_the_path_and_the_rest_into_the_body(double: Double) -> None:
    double.will_say({"status": "settled"})

    with Client(double.url) as asked:
        reply = asked.call("settle", {"reservation_id": "rsv_1", "usage": {"input": 3}})

    assert reply == {"status": "settled"}
    assert double.asked[0]["line"] == "POST /api/v1/reservations/rsv_1/settle"
    assert double.asked[0]["body"] == {"usage": {"input": 3}}


def test_a_name_in_the_path_is_quoted(double: Double) -> None:
    double.will_say({})

    with Client(double.url) as asked:
        asked.call("remove_policy", {"name": "team/web?", "why": "a & b"})

    assert double.asked[0]["line"] == "DELETE /api/v1/policies/team%2Fweb%3F?why=a+%26+b"
    assert double.asked[0]["body"] is None


def test_a_field_that_is_none_is_not_sent(double: Double) -> None:
    double.will_say({}, {})

    with Client(double.url) as asked:
        asked.call("show_balances", {"policy": None, "component": "apollo"})
        asked.call("reserve", {"component": "apollo", "model": "m", "usd": None})

    assert double.asked[0]["line"] == "GET /api/v1/balances?component=apollo"
    assert double.asked[1]["body"] == {"component": "apollo", "model": "m"}


def test_token_and_idempotency_key_travel_in_headers(double: Double) -> None:
    double.will_say({})

    with Client(double.url, "tkb_secret") as asked:
        asked.call("reserve", {"component": "apollo", "model": "m"}, idempotency_key="k-1")

    assert double.asked[0]["token"] == "Bearer tkb_secret"
    assert double.asked[0]["key"] == "k-1"


def test_one_connection_serves_many_calls(double: Double) -> None:
    double.will_say({"n": 1}, {"n": 2}, {"n": 3})

    with Client(double.url) as asked:
        assert [asked.get("/health")["n"] for _ in range(3)] == [1, 2, 3]


def test_a_problem_document_becomes_the_error_it_tells_of(double: Double) -> None:
    denied = errors.Denied("too dear", hint="wait", policy="house", left="0.01")
    double.will_say(denied.problem(), status=402)

    with Client(double.url) as asked, pytest.raises(errors.Denied) as caught:
        asked.call("reserve", {"component": "apollo", "model": "m"})

    assert caught.value.detail == "too dear"
    assert caught.value.hint == "wait"
    assert caught.value.facts == {"policy": "house", "left": "0.01"}


@pytest.mark.parametrize("answer", [b"<html>", b"[1]", b"", b"\xff\xfe"])
def test_what_is_no_json_object_comes_from_another_program(double: Double, answer: bytes) -> None:
    double.will_say(answer)

    with Client(double.url) as asked, pytest.raises(errors.BudgetError, match="no JSON object"):
        asked.get("/health")


def test_nobody_there_says_how_to_start_the_daemon() -> None:
    url = nobodys_url()

    with Client(url) as asked, pytest.raises(errors.Unavailable) as caught:
        asked.get("/health")

    assert caught.value.detail.startswith(f"no daemon at {url}")
    assert caught.value.hint == "start it with `budget up`"
    assert caught.value.facts["outcome"] == "not-applied"


def test_an_answer_cut_short_leaves_the_outcome_unknown(double: Double) -> None:
    double.will_say(None)

    with Client(double.url) as asked, pytest.raises(errors.Unavailable) as caught:
        asked.call("reserve", {"component": "apollo", "model": "m"})

    assert caught.value.facts["outcome"] == "unknown"


def test_after_a_cut_the_next_call_connects_again(double: Double) -> None:
    double.will_say(None, {"status": "ok"})

    with Client(double.url) as asked:
        with pytest.raises(errors.Unavailable):
            asked.get("/health")
        assert asked.get("/health") == {"status": "ok"}


def test_a_unix_socket_speaks_as_well(unix_double: Double) -> None:
    unix_double.will_say({"status": "ok"})

    with Client(unix_double.url) as asked:
        assert asked.get("/health") == {"status": "ok"}


def test_nobody_behind_a_unix_socket_is_said_like_nobody_at_a_port(tmp_path: Path) -> None:
    asked = Client(f"unix:{tmp_path / 'nothing'}")

    with pytest.raises(errors.Unavailable, match="no daemon at unix:"):
        asked.get("/health")


@pytest.mark.parametrize("url", ["127.0.0.1:8013", "ftp://x", "http://", "", "http:///path"])
def test_an_address_that_is_none_is_refused_before_asking(url: str) -> None:
    with pytest.raises(errors.BudgetError, match="not an address"):
        Client(url)


def test_a_list_is_read_page_after_page(double: Double) -> None:
    double.will_say(
        {"items": [{"n": 1}, {"n": 2}], "next_cursor": "2"},
        {"items": [{"n": 3}], "next_cursor": None},
    )

    with Client(double.url) as asked:
        assert [item["n"] for item in asked.items("list_entries")] == [1, 2, 3]

    assert double.asked[1]["line"] == "GET /api/v1/entries?cursor=2&limit=500"


def test_a_list_stops_at_the_limit(double: Double) -> None:
    double.will_say({"items": [{"n": 1}, {"n": 2}], "next_cursor": "2"})

    with Client(double.url) as asked:
        assert len(list(asked.items("list_entries", limit=2))) == 2
