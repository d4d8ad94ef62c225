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
from daemon.config import load
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


def note(home: Path, **told: Any) -> None:
    home.mkdir(exist_ok=True)
    running = {"url": None, "socket": None, "pid": 1, "version": "0.1.0"} | told
    (home / "daemon.json").write_text(json.dumps(running))


def test_the_daemon_is_where_its_data_directory_says(tmp_path: Path) -> None:
    note(tmp_path, url="http://127.0.0.1:4711")

    assert client.find({}, data_dir=tmp_path).url == "http://127.0.0.1:4711"


def test_a_daemon_without_a_port_is_found_at_its_socket(tmp_path: Path) -> None:
    note(tmp_path, socket="/run/b.sock")

    assert client.find({}, data_dir=tmp_path).url == "unix:/run/b.sock"


def test_what_is_named_goes_before_what_is_found(tmp_path: Path) -> None:
    note(tmp_path, url="http://127.0.0.1:4711")

    assert client.find({}, url="http://localhost:1", data_dir=tmp_path).url == "http://localhost:1"
    assert client.find({}, socket_path="/s", data_dir=tmp_path).url == "unix:/s"


def test_without_any_word_it_is_the_usual_port(tmp_path: Path) -> None:
    assert client.find({}, data_dir=tmp_path).url == "http://127.0.0.1:8013"
    assert client.find({"PENIA_PORT": "81"}, data_dir=tmp_path).url == "http://127.0.0.1:81"
    both = {"PENIA_PORT": "81", "BUDGET_PORT": "82"}
    assert client.find(both, data_dir=tmp_path).url == "http://127.0.0.1:82"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"url": 1}', "\udcff"])
def test_a_note_that_is_broken_is_no_note(tmp_path: Path, text: str) -> None:
    (tmp_path / "daemon.json").write_text(text, errors="surrogateescape")

    assert client.running(tmp_path) is None


def test_the_token_is_the_one_named_else_the_machines_own(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("own\n")
    (tmp_path / "other").write_text("filed\n")
    there = "http://127.0.0.1:8013"

    assert client.find_token({}, there, tmp_path) == "own"
    assert client.find_token({"BUDGET_TOKEN": "said"}, there, tmp_path) == "said"
    filed = {"BUDGET_TOKEN_FILE": str(tmp_path / "other")}
    assert client.find_token(filed, there, tmp_path) == "filed"
    said = {"BUDGET_TOKEN": "said"}
    assert client.find_token(said, there, tmp_path, tmp_path / "other") == "filed"


@pytest.mark.parametrize("url", ["http://budget.example.org", "http://127.0.0.1.example.org:8013"])
def test_the_machines_own_token_is_never_sent_to_another_machine(tmp_path: Path, url: str) -> None:
    (tmp_path / "token").write_text("own\n")

    assert client.find_token({}, url, tmp_path) is None


@pytest.mark.parametrize(
    "url", ["http://127.0.0.2:1", "http://[::1]:1", "http://localhost", "unix:/s"]
)
def test_loopback_and_unix_sockets_are_this_machine(url: str) -> None:
    assert client.is_local(url)


def test_a_token_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(errors.Unauthenticated, match="cannot read the token file"):
        client.find_token({}, "http://127.0.0.1", tmp_path, tmp_path / "nothing")


DAEMON_TABLE = '[daemon]\ndata_dir = "{}"\n'


@pytest.mark.parametrize(
    ("environ", "written"),
    [
        ({}, None),
        ({"XDG_DATA_HOME": "/srv/data"}, None),
        ({"XDG_DATA_HOME": "relative"}, None),
        ({"BUDGET_DATA_DIR": "here"}, "there"),
        ({"BUDGET_DATA_DIR": "~/here"}, None),
        ({"BUDGET_DAEMON__DATA_DIR": "/here"}, "there"),
        ({}, "there"),
        ({}, "~"),
        ({}, "/abs"),
        ({"BUDGET_CONFIG": "sub/other.toml"}, "there"),
    ],
)
def test_the_client_looks_where_the_daemon_keeps_its_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], written: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {"HOME": str(tmp_path)} | environ
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/other.toml").write_text(DAEMON_TABLE.format("from-the-other"))
    if written is not None:
        (tmp_path / "budget.toml").write_text(DAEMON_TABLE.format(written))

    assert client.default_data_dir(environ) == load(None, environ=environ).data_dir


def test_a_broken_file_leaves_the_usual_data_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "budget.toml").write_text("[daemon")

    home = client.default_data_dir({"HOME": str(tmp_path)})
    assert home == tmp_path / ".local/share/tekton-budget"
