"""The door under strain: slow callers, crowds, guessers; TLS; and who may open the socket."""

import grp
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import client
from protocols.errors import Unavailable
from tests.daemon_process import Daemon, running
from tests.harness.certificate import certificate
from tests.stories.words import CALL, made, refused

TIGHT = """
[limits]
connections = 12
header_s = 0.2
idle_s = 0.4
login_failures = 3
"""
BEGUN = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
WHOLE = BEGUN + b"\r\n"
PATIENCE_S = 10.0


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("home"), TIGHT) as started:
        yield started


def connect(daemon: Daemon) -> socket.socket:
    place = daemon.told["url"].removeprefix("http://").split(":")
    return socket.create_connection((place[0], int(place[1])), timeout=PATIENCE_S)


def all_of(peer: socket.socket) -> bytes:
    """What comes until the other side closes."""
    heard = b""
    while chunk := peer.recv(65_536):
        heard += chunk
    return heard


def test_a_header_that_never_ends_is_ended(daemon: Daemon) -> None:
    with connect(daemon) as peer:
        peer.sendall(BEGUN)
        heard = all_of(peer)

    assert heard.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"body-timeout"' in heard


def test_a_second_header_on_one_connection_has_its_own_deadline(daemon: Daemon) -> None:
    with connect(daemon) as peer:
        peer.sendall(WHOLE)
        first = peer.recv(65_536)
        peer.sendall(BEGUN)
        heard = first + all_of(peer)

    assert heard.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in heard


def test_a_caller_who_says_nothing_is_let_go(daemon: Daemon) -> None:
    with connect(daemon) as peer:
        assert all_of(peer) == b""


def test_a_crowd_is_told_to_come_back_and_those_inside_are_served(daemon: Daemon) -> None:
    crowd = [connect(daemon) for _ in range(30)]
    try:
        turned_away = [heard for heard in map(all_of, crowd) if b" 503 " in heard]
        assert len(turned_away) >= 30 - 12
        assert all(b'"code":"unavailable"' in heard for heard in turned_away)
    finally:
        for peer in crowd:
            peer.close()
    made(daemon.post("/reservations", CALL | {"component": "a"}))


def test_who_guesses_tokens_is_slowed_down_and_the_right_token_works(daemon: Daemon) -> None:
    wrong = f"tkb_{'x' * 8}_{'y' * 43}"
    answers = [daemon.get("/balances", token=wrong) for _ in range(5)]

    assert [answer.status for answer in answers] == [401, 401, 401, 429, 429]
    problem = refused(answers[-1], 429, "throttled")
    assert 1 <= problem["retry_after_s"] <= 60
    assert answers[-1].headers["Retry-After"] == str(problem["retry_after_s"])
    assert daemon.get("/balances").status == 200


def test_over_tls_the_command_line_finds_and_trusts_this_daemon_alone(tmp_path: Path) -> None:
    pem = certificate(tmp_path / "budget.pem", host="budget.example")
    with running(tmp_path, f'[daemon]\ntls_cert = "{pem}"\ntls_key = "{pem}"\n') as daemon:
        assert daemon.told["url"].startswith("https://127.0.0.1:")
        with client.find({}, data_dir=daemon.data_dir) as asked:
            assert asked.call("list_policies")["items"] == []
        stranger = client.Client(daemon.told["url"], daemon.token)
        with stranger, pytest.raises(Unavailable, match="no daemon at https"):
            stranger.get("/health")
        with connect_plain(daemon) as peer:
            peer.sendall(WHOLE)
            assert not all_of(peer).startswith(b"HTTP/1.1 200")


def connect_plain(daemon: Daemon) -> socket.socket:
    port = int(daemon.told["url"].rsplit(":", 1)[1])
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


@pytest.mark.parametrize(
    ("config", "exit_code", "said"),
    [
        ('host = "0.0.0.0"', 78, "tokens could be read on the way"),
        ('tls_cert = "nowhere.pem"\ntls_key = "nowhere.pem"', 78, "cannot be read"),
        ('tls_cert = "budget.toml"\ntls_key = "budget.toml"', 78, "is not a certificate"),
        ('socket_group = "nobody-is-in-it"', 78, "there is no group"),
    ],
)
def test_a_door_that_would_not_hold_stays_shut(
    tmp_path: Path, config: str, exit_code: int, said: str
) -> None:
    daemon = Daemon(tmp_path, f"[daemon]\n{config}\n")
    daemon.config.chmod(0o600)
    daemon.spawn()

    assert daemon.wait() == exit_code
    assert said in daemon.said


def test_behind_a_proxy_it_listens_everywhere_and_says_where_we_find_it(tmp_path: Path) -> None:
    with running(tmp_path, '[daemon]\nhost = "0.0.0.0"\nbehind_proxy = true\n') as daemon:
        assert daemon.told["url"].startswith("http://127.0.0.1:")
        assert daemon.get("/balances").status == 200


def test_the_socket_is_its_owners_and_if_told_so_its_groups(tmp_path: Path) -> None:
    group = grp.getgrgid(os.getegid())
    path = tmp_path / "b.sock"
    with running(tmp_path, f'[daemon]\nsocket = "{path}"\n') as daemon:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with client.Client(f"unix:{path}", daemon.token) as asked:
            asked.call("set_budget", {"name": "mine"})
            (entry,) = asked.call("list_entries", {"kind": "budget_set"})["items"]
        assert entry["body"]["via"] == f"unix uid {os.getuid()} pid {os.getpid()}"
    told = f'[daemon]\nsocket = "{path}"\nsocket_group = "{group.gr_name}"\n'
    with running(tmp_path, told):
        state = path.stat()
        assert (stat.S_IMODE(state.st_mode), state.st_gid) == (0o660, group.gr_gid)


def test_who_hoards_holds_starves_nobody_else(tmp_path: Path) -> None:
    with running(tmp_path, "[holds]\nopen = 3\n") as daemon:
        held = [made(daemon.post("/reservations", CALL | {"component": "a"})) for _ in range(3)]

        problem = refused(daemon.post("/reservations", CALL | {"component": "a"}), 429, "busy")
        assert (problem["open"], problem["retry_after_s"]) == (3, 1)
        made(daemon.post("/reservations", CALL | {"component": "b"}))

        made(daemon.post(f"/reservations/{held[0]['reservation_id']}/release", {}), 200)
        made(daemon.post("/reservations", CALL | {"component": "a"}))
