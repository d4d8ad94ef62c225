"""Tokens made and revoked while the daemon runs: from one answer to the next."""

import json
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import anyio
import pytest
from anyio.to_thread import run_sync

from daemon.journal.verify import verify
from protocols.http import DoorSettings
from tests.daemon_process import Daemon, running
from tests.stories.words import CALL, ENTRY, INSTANT, made, refused

DAY_S = 86_400
HEARTBEAT_S = DoorSettings().heartbeat_s
APOLLO = CALL | {"component": "apollo"}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("home"), '[[token]]\nname = "filed"\nrole = "read"') as it:
        yield it


def token(daemon: Daemon, name: str, **fields: object) -> str:
    answer = made(daemon.post("/tokens", {"name": name, "role": "report"} | fields))
    secret: str = answer["token"]
    return secret


def test_a_new_token_works_at_once_within_its_role_and_scope(daemon: Daemon) -> None:
    answer = made(daemon.post("/tokens", {
        "name": "apollo", "role": "report", "components": ["apollo"], "expires_in_s": DAY_S,
        "why": "a new machine",
    }))  # fmt: skip
    secret = answer["token"]

    assert answer["entry_id"] == ENTRY
    assert answer["shown"] == {
        "name": "apollo", "id": secret[4:12], "role": "report", "components": ["apollo"],
        "made_by": "admin", "made_at": INSTANT, "expires_at": INSTANT, "expired": False,
        "last_used_at": None,
    }  # fmt: skip
    made(daemon.post("/reservations", APOLLO, token=secret))
    refused(daemon.post("/reservations", CALL | {"component": "b"}, token=secret), 403, "forbidden")
    refused(daemon.post("/tokens", {"name": "x", "role": "read"}, token=secret), 403, "forbidden")


def test_a_revoked_token_is_out_with_the_next_request(daemon: Daemon) -> None:
    secret = token(daemon, "leaked")
    made(daemon.post("/reservations", APOLLO, token=secret))

    answer = made(daemon.call("DELETE", "/api/v1/tokens/leaked?why=leaked"), 200)

    assert answer == {"name": "leaked", "id": secret[4:12], "entry_id": ENTRY}
    refused(daemon.post("/reservations", APOLLO, token=secret), 401, "unauthenticated")
    refused(daemon.call("DELETE", "/api/v1/tokens/leaked"), 404, "not-found")
    again = token(daemon, "leaked")
    assert again != secret
    refused(daemon.post("/reservations", APOLLO, token=secret), 401, "unauthenticated")


@pytest.mark.anyio
async def test_what_a_revoked_token_was_reading_ends_at_once(daemon: Daemon) -> None:
    secret = token(daemon, "reader")
    headers = {"Authorization": f"Bearer {secret}"}
    async with aiohttp.ClientSession(daemon.told["url"], headers=headers) as http:
        events = await http.get("/api/v1/events")
        assert await events.content.readline() == b"retry: 2000\n"
        socket = await http.ws_connect("/ws/budget/updates")
        assert (await socket.receive_json())["type"] == "budget_update"
        with anyio.fail_after(HEARTBEAT_S / 2):
            await run_sync(daemon.call, "DELETE", "/api/v1/tokens/reader")
            await events.read()
            async for _ in socket:
                pass
        assert socket.close_code is not None


def test_the_list_and_the_journal_tell_everything_but_the_secret(daemon: Daemon) -> None:
    secret = token(daemon, "listed")

    listed = daemon.get("/tokens")
    entries = daemon.get("/entries?kind=token_made&limit=500")

    names = [one["name"] for one in listed.body["items"]]
    assert names == sorted(names)
    assert {"admin", "filed", "listed"} <= set(names)
    (entry,) = [one for one in entries.body["items"] if one["subject"] == "listed"]
    assert entry["body"]["by"] == "admin"
    for raw in (listed.raw, entries.raw, daemon.said.encode()):
        assert secret[13:].encode() not in raw


def test_what_an_admin_decides_is_told_with_who_and_from_where(daemon: Daemon) -> None:
    policy = {"name": "audited", "limit": {"usd": "1"}, "period": "daily", "why": "a trial"}
    made(daemon.post("/policies", policy))
    made(daemon.call("DELETE", "/api/v1/policies/audited?why=over"), 200)
    made(daemon.post("/budgets", {"name": "audited"}))
    price = {"provider": "acme", "model": "m", "price": {"rates": {"input": "3"}}}
    made(daemon.post("/prices/set", price), 200)
    token(daemon, "audited")
    made(daemon.call("DELETE", "/api/v1/tokens/audited"), 200)

    entries = daemon.get("/entries?limit=500").body["items"]
    told = {one["kind"]: one["body"] for one in entries if one["body"].get("via")}
    kinds = {"policy_set", "policy_removed", "budget_set", "price_set", "token_made"}
    assert kinds | {"token_revoked"} <= told.keys()
    assert {body["via"] for body in told.values()} == {"tcp 127.0.0.1"}
    by = {version["by"] for version in told.pop("price_set")["versions"]}
    assert by | {body["by"] for body in told.values()} == {"admin"}
    assert (told["policy_set"]["before"], told["policy_set"]["why"]) == (None, "a trial")
    assert told["policy_removed"]["before"]["limit"]["usd"] == "1.000000000"


def test_no_two_living_tokens_have_one_name(daemon: Daemon) -> None:
    token(daemon, "twice")
    for name in ("twice", "filed"):
        problem = refused(daemon.post("/tokens", {"name": name, "role": "read"}), 422, "invalid")
        assert problem["errors"][0]["field"] == "name"
    problem = refused(daemon.post("/tokens", {"name": "admin", "role": "read"}), 422, "invalid")
    assert "keeps for itself" in problem["errors"][0]["problem"]


def test_a_token_in_a_file_is_revoked_in_the_file(daemon: Daemon) -> None:
    problem = refused(daemon.call("DELETE", "/api/v1/tokens/filed"), 422, "invalid")

    assert "budget.toml" in problem["errors"][0]["remedy"]
    assert daemon.get("/balances", token=daemon.token_of("filed")).status == 200


def test_tokens_outlive_a_kill_and_so_does_their_end(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        stays, goes = token(daemon, "stays"), token(daemon, "goes")
        made(daemon.call("DELETE", "/api/v1/tokens/goes"), 200)
        daemon.kill()
        daemon.start()
        made(daemon.post("/reservations", APOLLO, token=stays))
        refused(daemon.post("/reservations", APOLLO, token=goes), 401, "unauthenticated")
        database = b"".join(p.read_bytes() for p in daemon.data_dir.glob("journal*"))
        assert stays[13:].encode() not in database
        assert json.dumps(stays[4:12]).encode() in database
        assert verify(daemon.data_dir).clean
