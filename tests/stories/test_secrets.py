"""Secrets put everywhere they could be put by mistake: none is read anywhere afterwards."""

import base64
import http.client
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.daemon_process import Answer, Daemon, answer_of, running
from tests.stories.words import CALL, made


def canary(kind: str) -> str:
    return f"{kind}{secrets.token_urlsafe(32)}"


PROVIDER, STRANGER = canary("sk-proj-"), f"tkb_{secrets.token_urlsafe(6)}_{'x' * 43}"
BASIC = base64.b64encode(f"admin:{PROVIDER}".encode()).decode()
PLACES = {
    "a bearer": ("/status", {"Authorization": f"Bearer {PROVIDER}"}),
    "another daemon's token": ("/status", {"Authorization": f"Bearer {STRANGER}"}),
    "basic": ("/status", {"Authorization": f"Basic {BASIC}"}),
    "the query": (f"/api/v1/balances?token={PROVIDER}", {}),
    "the path": (f"/api/v1/policies/{PROVIDER}", {}),
    "another header": ("/status", {"X-Api-Key": PROVIDER}),
    "the user agent": ("/status", {"User-Agent": PROVIDER}),
    "an Origin": ("/status", {"Origin": f"https://{PROVIDER}.example"}),
    "an idempotency key": ("/api/v1/check", {"Idempotency-Key": PROVIDER}),
}  # fmt: skip


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    home = tmp_path_factory.mktemp("home")
    with running(home, '[daemon]\nlog_level = "debug"\n') as started:
        yield started


def everything(daemon: Daemon) -> bytes:
    """All it said, and all it wrote, but the files that hold the tokens themselves."""
    written = [
        path.read_bytes()
        for path in sorted(daemon.data_dir.rglob("*"))
        if path.is_file() and path != daemon.data_dir / "token" and path.parent.name != "tokens"
    ]
    shown = [
        daemon.call("GET", path).raw
        for path in ("/status", "/metrics", "/api/v1/entries?limit=500", "/api/v1/tokens")
    ]
    return b"\n".join([daemon.said.encode(), *written, *shown])


def send(daemon: Daemon, path: str, headers: Mapping[str, str]) -> Answer:
    method, body = ("POST", b"{}") if path.endswith("check") else ("GET", None)
    place = urlsplit(daemon.told["url"])
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    own = {"Authorization": f"Bearer {daemon.token}", "Content-Type": "application/json"}
    try:
        connection.request(method, path, body, own | dict(headers))
        return answer_of(connection.getresponse())
    finally:
        connection.close()


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_in_the_wrong_place_is_forgotten(daemon: Daemon, place: str) -> None:
    answer = send(daemon, *PLACES[place])

    told = answer.raw if place != "the path" else b""
    for secret in (PROVIDER, STRANGER, BASIC):
        for text in (told, everything(daemon)):
            assert secret[12:].encode() not in text


def test_the_daemons_own_tokens_are_in_their_files_alone(daemon: Daemon) -> None:
    made(daemon.post("/reservations", CALL | {"component": "a"}))
    token = made(daemon.post("/tokens", {"name": "a", "role": "report"}))["token"]
    made(daemon.post("/reservations", CALL | {"component": "a"}, token=token))

    found = everything(daemon)
    for secret in (daemon.token, token):
        assert secret[13:].encode() not in found
        assert secret[:12].encode() not in re.sub(rb"tkb_[A-Za-z0-9_-]{8}_\[redacted\]", b"", found)


def test_a_command_is_not_told_secrets_in_its_arguments(daemon: Daemon) -> None:
    arguments = Path(f"/proc/{daemon.pid}/cmdline")
    if not arguments.exists():
        pytest.skip("this system does not show other programs' arguments")
    assert daemon.token.encode() not in arguments.read_bytes()
