"""A replay over the real daemon: what a draft would have done, and that nothing is written."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest

from tests.daemon_process import PREFIX, Daemon
from tests.stories.words import CALL, limit, made, refused, release, reserve, settle

USED = {"input_tokens": 1_000, "output_tokens": 300}
"""Of claude-haiku-4-5: 0.0025 dollars, out of a hold of 0.003."""


def replay(daemon: Daemon, me: str, **fields: Any) -> dict[str, Any]:
    reply = made(daemon.post("/replay", {"component": me, "span": "today"} | fields), 200)
    assert reply["differences_total"] == len(reply["differences"])
    return reply


@pytest.fixture
def five_calls(daemon: Daemon, me: str) -> list[str]:
    """Under a limit of 0.010 dollars three are settled, the last two refused."""
    limit(daemon, me, limit={"usd": "0.010"})
    held = [reserve(daemon, me) for _ in range(3)]
    for one in held:
        made(settle(daemon, one, USED), 200)
    for _ in range(2):
        body = {"component": me, "model": "claude-haiku-4-5", "max_output_tokens": 400}
        refused(daemon.post("/reservations", body | {"input_tokens": 1_000}), 402, "denied")
    return [one["reservation_id"] for one in held]


def test_no_draft_changes_nothing(daemon: Daemon, me: str, five_calls: list[str]) -> None:
    before = daemon.get("/entries?limit=1000").raw

    reply = replay(daemon, me)

    assert (reply["calls_then"], reply["denied_then"]) == (len(five_calls), 2)
    assert (reply["calls_now"], reply["denied_now"]) == (3, 2)
    assert (reply["booked_usd"], reply["change_usd"]) == ("0.007500000", "0.000000000")
    assert reply["differences"] == []
    assert daemon.get("/entries?limit=1000").raw == before


def test_a_tighter_limit_says_what_it_would_have_refused_and_saved(
    daemon: Daemon, me: str, five_calls: list[str]
) -> None:
    draft = {"name": me, "match": {"component": me}, "limit": {"usd": "0.003"}, "period": "total"}

    reply = replay(daemon, me, policies=[draft])

    assert (reply["calls_now"], reply["refused"], reply["denied_now"]) == (1, 2, 4)
    assert (reply["would_be_usd"], reply["change_usd"]) == ("0.002500000", "-0.005000000")
    assert [row["what"] for row in reply["differences"]] == ["refused", "refused"]
    assert reply["differences"][0]["policy"] == me
    assert len(five_calls) == 3
    (effect,) = reply["policies"]
    assert (effect["name"], effect["refused"]) == (me, 2)


def test_without_the_limit_the_refused_calls_count_at_their_worst_case(
    daemon: Daemon, me: str, five_calls: list[str]
) -> None:
    reply = replay(daemon, me, without=[me])

    assert (reply["let_in"], reply["calls_now"]) == (2, len(five_calls) + 2)
    assert reply["would_be_usd"] == "0.013500000"


def test_a_limit_that_downgrades_counts_at_the_other_models_price(
    daemon: Daemon, me: str, five_calls: list[str]
) -> None:
    draft = {
        "name": me, "match": {"component": me}, "limit": {"usd": "0.004"}, "period": "total",
        "on_limit": "downgrade",
    }  # fmt: skip
    route = {"name": "r", "candidates": ["anthropic/claude-haiku-5-5"]}

    reply = replay(daemon, me, policies=[draft], routes=[route])

    moved = [row for row in reply["differences"] if row["what"] == "downgraded"]
    assert {row["became"] for row in moved} == {"anthropic/claude-haiku-5-5"}
    assert {row["would_be_usd"] for row in moved} == {"0.000250000"}
    assert five_calls


def test_a_price_counts_as_if_it_had_been_in_force(
    daemon: Daemon, me: str, five_calls: list[str]
) -> None:
    price = {
        "provider": "anthropic", "model": "claude-haiku-4-5",
        "price": {"rates": {"input": "2", "output": "10"}},
    }  # fmt: skip

    reply = replay(daemon, me, prices=[price])

    assert reply["refused"] == 2, "after 0.005 a hold of 0.006 does not fit into 0.010"
    assert reply["would_be_usd"] == "0.005000000"
    assert five_calls


def test_a_released_hold_costs_nothing_then_and_now(daemon: Daemon, me: str) -> None:
    made(release(daemon, reserve(daemon, me)), 200)

    assert replay(daemon, me)["booked_usd"] == "0.000000000"


def test_a_draft_that_makes_no_sense_names_the_field(daemon: Daemon, me: str) -> None:
    draft = {"name": me, "match": {"tier": "heavy*"}, "limit": {"usd": "1"}, "period": "daily"}

    problem = refused(daemon.post("/replay", {"policies": [draft]}), 422, "invalid")

    assert problem["errors"][0]["field"] == "match.tier"
    refused(daemon.post("/replay", {"since": "2026-01-02", "span": "today"}), 422, "invalid")
    refused(daemon.post("/replay", {"policies": [{"name": "x"}]}), 422, "invalid")


def test_a_replay_can_be_begun_and_asked_how_far_it_is(
    daemon: Daemon, me: str, five_calls: list[str]
) -> None:
    at_once = replay(daemon, me)
    begun = made(daemon.post("/replay", {"component": me, "span": "today", "wait": False}), 200)

    assert (begun["status"], begun["calls_then"]) == ("working", 0)
    name = begun["replay_id"]
    told = daemon.until(f"/replays/{name}?wait_s=5", lambda body: body["status"] == "done")

    assert told | {"replay_id": None} == at_once | {"replay_id": None}
    assert told["calls_then"] == len(five_calls)
    refused(daemon.get(f"/replays/rpl_{'0' * 32}"), 404, "not-found")


def test_the_command_reads_a_draft_file(
    daemon: Daemon, me: str, five_calls: list[str], tmp_path: Path
) -> None:
    draft = tmp_path / "draft.toml"
    draft.write_text(
        f'[[policy]]\nname = "{me}"\nmatch = {{ component = "{me}" }}\n'
        'limit = { usd = "0.003" }\nperiod = "total"\nwarn_at = [0.5]\n\n'
        '[[price]]\nprovider = "anthropic"\nmodel = "claude-haiku-4-5"\n'
        "rates = { input = 1.0, output = 5.0 }\n"
    )

    command = [sys.executable, "-P", "-m", "daemon", "replay", str(draft)]
    shown = subprocess.run(
        [*command, "--component", me, "--span", "today"],
        env=daemon.environ() | {"BUDGET_DATA_DIR": str(daemon.data_dir)},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    rows = [line.split() for line in shown.splitlines()]
    assert ["calls", "3", "1"] in rows
    assert ["cost", "$0.0075", "$0.0025"] in rows
    assert five_calls


def test_savings_name_what_could_have_done_the_same_for_less(
    daemon: Daemon, me: str, five_calls: list[str]
) -> None:
    reply = made(daemon.post("/savings", {"component": me, "span": "today"}), 200)

    (item,) = reply["items"]
    assert (item["model"], item["calls"]) == ("claude-haiku-4-5", len(five_calls))
    assert reply["booked_usd"] == reply["looked_at_usd"] == item["booked_usd"] == "0.007500000"
    nearest = [one for one in item["alternatives"] if one["provider"] == "anthropic"]
    assert nearest[0]["model"] == "claude-haiku-5-5"
    assert nearest[0]["would_be_usd"] == "0.000750000"
    assert reply["saving_usd"] == item["alternatives"][-1]["saving_usd"]


@pytest.mark.anyio
async def test_calls_of_the_same_moment_are_decided_again_in_the_order_they_were(
    daemon: Daemon, me: str
) -> None:
    """Many ledgers write what one engine decided: the entries may stand in another order."""
    crowd = f"{me[-100:]}-*"
    limit(daemon, me, match={"component": crowd}, limit={"usd": "0.050"})
    limit(
        daemon, f"{me[-100:]}-d", name=f"{me[-100:]}-down", match={"component": crowd},
        each="component", limit={"usd": "0.010"}, on_limit="downgrade",
    )  # fmt: skip

    async def call(session: aiohttp.ClientSession, number: int) -> None:
        who = {"component": f"{me[-100:]}-{number % 9}"}
        body = CALL | who
        async with session.post(f"{PREFIX}/reservations", json=body) as response:
            told = await response.json()
        if response.status == 201 and number % 2:
            path = f"{PREFIX}/reservations/{told['reservation_id']}/settle"
            async with session.post(path, json={"usage": USED}) as settled:
                assert settled.status == 200

    with anyio.fail_after(60):
        async with daemon.session() as session, anyio.create_task_group() as group:
            for number in range(200):
                group.start_soon(call, session, number)

    reply = made(daemon.post("/replay", {"span": "today"}), 200)

    assert reply["differences"] == []
    assert reply["denied_now"] == reply["denied_then"] > 0
