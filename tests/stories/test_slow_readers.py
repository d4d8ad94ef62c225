"""Readers of events who take nothing, on real sockets; and how many readers there may be."""

import base64
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest

from tests.daemon_process import PREFIX, Daemon, running
from tests.stories.words import CALL

MANY = 10_000
"""More than the buffers of both sides' sockets can hold."""
EACH = 3
CONFIG = f"""
[limits]
slow_s = 600
streams_each = {EACH}

[[token]]
name = "other"
role = "read"

[[policy]]
name = "closed"
match = {{ component = "refused" }}
limit = {{ calls = 0 }}
period = "total"
"""
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\n"
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("home"), CONFIG) as started:
        yield started
        assert "internal error" not in started.said


@contextmanager
def asked(
    daemon: Daemon, path: str, more: str = "", token: str | None = ""
) -> Iterator[socket.socket]:
    """A connection on which something was asked. None: without a token."""
    place = urlsplit(daemon.told["url"])
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.settimeout(30)
        made.connect((place.hostname, place.port))
        who = "" if token is None else f"Authorization: Bearer {token or daemon.token}\r\n"
        head = f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\n{who}{more}\r\n"
        made.sendall(head.encode())
        yield made


def status(answered: socket.socket) -> int:
    return int(answered.recv(64).split()[1])


def refuse(daemon: Daemon, count: int) -> None:
    """So many refusals, each of them an event."""
    one = {"operation": "reserve", "body": CALL | {"component": "refused"}}
    for _ in range(count // 1000):
        daemon.post("/batch", {"operations": [one] * 1000})


def everything(answered: socket.socket) -> bytes:
    """All there is to read, until the other side closes."""
    found = bytearray()
    while part := answered.recv(1 << 20):
        found += part
    return bytes(found)


def test_a_stream_that_nobody_reads_is_cut_long_before_its_time(daemon: Daemon) -> None:
    with asked(daemon, f"{PREFIX}/events") as sleeper:
        assert status(sleeper) == 200
        refuse(daemon, MANY)
        daemon.wait_for("of events, admin, does not take them")
        assert everything(sleeper).count(b"call.denied") < MANY


def test_a_websocket_that_nobody_reads_is_closed_with_1013(daemon: Daemon) -> None:
    token = daemon.token_of("other")
    with asked(daemon, "/ws/budget/updates", UPGRADE, token) as sleeper:
        assert status(sleeper) == 101
        refuse(daemon, MANY)
        daemon.wait_for("of events, other, does not take them")
        told = everything(sleeper)
    assert told[told.rindex(b"\x88") :][2:4] == (1013).to_bytes(2)
    assert told.count(b"call.denied") < MANY


def test_a_reader_who_was_away_for_longer_is_no_slow_one(daemon: Daemon) -> None:
    """What came before it began is not what came while it was waited for."""
    first = daemon.get("/outbox?limit=1").body["last_seq"]
    refuse(daemon, 3000)
    with asked(daemon, f"{PREFIX}/events?after={first}") as reader:
        found = b""
        while found.count(b"\ndata: ") < 3000:
            found += reader.recv(1 << 16)


def test_no_caller_takes_all_the_streams_there_are(daemon: Daemon) -> None:
    with ExitStack() as held:
        for _ in range(EACH):
            assert status(held.enter_context(asked(daemon, f"{PREFIX}/events"))) == 200
        for path, more in ((f"{PREFIX}/events", ""), ("/ws", UPGRADE)):
            one_more = held.enter_context(asked(daemon, path, more))
            told = one_more.recv(4096)
            assert b" 429 " in told[:20]
            assert f"{EACH} streams of admin are open".encode() in told
        other = daemon.token_of("other")
        assert status(held.enter_context(asked(daemon, "/ws", UPGRADE, other))) == 101


def test_those_who_have_not_said_who_they_are_are_one_caller(daemon: Daemon) -> None:
    with ExitStack() as held:
        for _ in range(EACH):
            assert status(held.enter_context(asked(daemon, "/ws", UPGRADE, None))) == 101
        assert status(held.enter_context(asked(daemon, "/ws", UPGRADE, None))) == 429
        assert status(held.enter_context(asked(daemon, "/ws", UPGRADE))) == 101
