"""Policies: how strictly each kind is kept, what it counts together, and changing them."""

from pathlib import Path
from typing import Any

import pytest

from tests.daemon_process import Daemon, running
from tests.stories.words import (
    CALL,
    INSTANT,
    balance,
    limit,
    made,
    refused,
    release,
    reserve,
    settle,
)


def admits(daemon: Daemon, me: str, **fields: object) -> bool:
    """Whether a call with these facts is let in; it then stays held."""
    status = daemon.post("/reservations", CALL | {"component": me} | fields).status
    assert status in {201, 402}
    return status == 201


def test_a_hard_limit_is_passed_by_no_priority(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 1})

    assert admits(daemon, me)
    assert not admits(daemon, me, priority=10)


def test_a_soft_limit_is_passed_from_priority_8_on(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 1}, enforce="soft")

    assert admits(daemon, me)
    assert not admits(daemon, me, priority=7)
    held = reserve(daemon, me, priority=8)
    assert held["outcome"] == "warned"
    assert "past its limit" in held["warnings"][0]["detail"]


def test_an_override_lets_its_priority_pass_by_its_own_amount(daemon: Daemon, me: str) -> None:
    limit(
        daemon, me, limit={"usd": "0.003"}, override={"priority": 9, "usd": "0.006"},
    )  # fmt: skip

    assert admits(daemon, me)
    assert not admits(daemon, me, priority=8)
    assert admits(daemon, me, priority=9)
    assert admits(daemon, me, priority=10)
    assert not admits(daemon, me, priority=10)
    assert balance(daemon, me)["left"] == "-0.006000000"


def test_a_warning_limit_lets_all_in_and_says_so(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 1}, enforce="warn", warn_at=[1.0])

    assert reserve(daemon, me)["warnings"] == [
        {
            "policy": me,
            "axis": "calls",
            "threshold": 1.0,
            "detail": f"{me} stands at 1 calls of 1 calls",
        }
    ]
    held = reserve(daemon, me)
    assert held["outcome"] == "warned"
    assert balance(daemon, me)["left"] == -1


def test_an_ignoring_limit_only_counts(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 1}, enforce="ignore")

    outcomes = [reserve(daemon, me)["outcome"] for _ in range(3)]
    assert outcomes == ["allowed"] * 3
    assert balance(daemon, me)["held"] == 3


def test_a_threshold_warns_from_where_it_is_reached(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 10}, warn_at=[0.5, 0.8])

    reached = [
        [warned["threshold"] for warned in reserve(daemon, me)["warnings"]] for _ in range(10)
    ]
    assert reached == [[]] * 4 + [[0.5]] * 3 + [[0.8]] * 3


def test_nobody_holds_more_than_their_share_of_a_common_limit(daemon: Daemon, me: str) -> None:
    greedy, modest = f"{me}-greedy", f"{me}-modest"
    rule = {"name": me, "match": {"component": f"{me}-*"}, "period": "daily", "hold_share": 0.5}
    made(daemon.post("/policies", rule | {"limit": {"calls": 6}}))
    held = [reserve(daemon, greedy) for _ in range(3)]

    problem = refused(daemon.post("/reservations", CALL | {"component": greedy}), 402, "denied")
    shown = {name: problem[name] for name in ("policy", "axis", "limit", "held", "left")}
    assert shown == {"policy": me, "axis": "calls", "limit": 3, "held": 3, "left": 0}
    assert "hold_share" in problem["hint"]
    checked = made(daemon.post("/check", CALL | {"component": greedy}), 200)
    assert not checked["allowed"]
    for _ in range(2):
        reserve(daemon, modest)

    made(settle(daemon, held[0]), 200)
    reserve(daemon, greedy)
    refused(daemon.post("/reservations", CALL | {"component": modest}), 402, "denied")


def test_each_value_has_a_counter_of_its_own(daemon: Daemon, me: str) -> None:
    match = {"tags": {"story": me}}
    limit(daemon, me, match=match, each="component", limit={"calls": 1})
    tags = {"story": me}

    assert [admits(daemon, name, tags=tags) for name in ("a", "b", "a", "b")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert admits(daemon, "a")
    rows = daemon.get(f"/balances?policy={me}").body["items"]
    assert [(row["key"], row["held"], row["left"]) for row in rows] == [("a", 1, 0), ("b", 1, 0)]


def test_a_session_has_a_budget_of_its_own(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 1}, period="per_session")

    assert [admits(daemon, me, context_id=name) for name in ("a", "b", "a")] == [True, True, False]
    assert not admits(daemon, me, context_id="a", task_type="coding")
    assert [admits(daemon, me) for _ in range(2)] == [True, True]


def test_a_task_has_a_budget_of_its_own(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 1}, period="per_task")

    assert admits(daemon, me, context_id="a")
    assert admits(daemon, me, context_id="a", task_type="coding")
    assert not admits(daemon, me, context_id="a", task_type="coding")


def test_a_rolling_window_says_when_it_lets_go(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 2}, period="rolling:5h")
    first, _ = reserve(daemon, me), reserve(daemon, me)

    problem = refused(daemon.post("/reservations", CALL | {"component": me}), 402, "denied")
    assert problem["resets_at"] == INSTANT
    assert first["expires_at"] < problem["resets_at"]
    made(release(daemon, first), 200)
    assert admits(daemon, me)


def test_what_one_policy_refuses_is_held_in_none(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"usd": "1", "tokens": 100_000, "calls": 100}, period="daily")
    narrow = f"{me}/narrow"
    limit(daemon, narrow, match={"component": me}, limit={"tokens": 1_399})

    problem = refused(daemon.post("/reservations", CALL | {"component": me}), 402, "denied")
    assert (problem["policy"], problem["axis"]) == (narrow, "tokens")
    rows = daemon.get(f"/balances?component={me}").body["items"]
    assert all(row["held"] in {0, "0.000000000"} for row in rows)


def test_a_changed_limit_holds_at_once_and_keeps_what_was_counted(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 1})
    settle(daemon, reserve(daemon, me))
    assert not admits(daemon, me)

    limit(daemon, me, limit={"calls": 2}, why="a busy day")
    assert admits(daemon, me)
    assert not admits(daemon, me)
    assert balance(daemon, me) == {"used": 1, "held": 1, "left": 0}
    shown = daemon.get(f"/policies/{me}").body
    assert (shown["revision"], shown["set_by"]) == (2, "admin")
    entry = daemon.get(f"/entries?kind=policy_set&subject={me}").body["items"][-1]["body"]
    assert (entry["by"], entry["why"]) == ("admin", "a busy day")
    assert (entry["before"]["limit"]["calls"], entry["after"]["limit"]["calls"]) == (1, 2)


def test_a_removed_policy_binds_nobody(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 0})
    assert not admits(daemon, me)

    assert made(daemon.delete(f"/policies/{me}"), 200)["name"] == me
    assert admits(daemon, me)
    refused(daemon.get(f"/policies/{me}"), 404, "not-found")
    refused(daemon.delete(f"/policies/{me}"), 404, "not-found")


@pytest.mark.parametrize("ending", [Daemon.kill, Daemon.stop])
def test_every_counter_and_policy_survives_a_restart(tmp_path: Path, me: str, ending: Any) -> None:
    with running(tmp_path) as daemon:
        for period in ("hourly", "daily", "weekly", "monthly", "total", "rolling:5h"):
            figures = {"usd": "1", "tokens": 100_000, "calls": 4}
            limit(daemon, f"{me}/{period}", match={}, period=period, limit=figures)
        limit(daemon, me, match={}, period="per_session", each="component", limit={"calls": 9})
        limit(daemon, "gone", limit={"calls": 0})
        daemon.delete("/policies/gone")
        settle(daemon, reserve(daemon, me, context_id="s"))
        held = reserve(daemon, me, context_id="s")
        settle(daemon, reserve(daemon, me), final=False)
        looks = ("/balances", "/policies", "/budgets", "/reservations", "/entries")
        before = {path: daemon.get(path).body for path in looks}

        ending(daemon)
        daemon.start()

        assert {path: daemon.get(path).body for path in looks} == before
        assert admits(daemon, me)
        assert not admits(daemon, me)
        assert made(settle(daemon, held), 200)["cost_usd"] == "0.001300000"


def test_a_changed_file_wins_and_an_unchanged_one_does_not(tmp_path: Path, me: str) -> None:
    seed = '[[policy]]\nname = "seeded"\nlimit = {{ calls = {} }}\nperiod = "total"\n'
    with running(tmp_path, seed.format(1)) as daemon:
        assert (calls(daemon), daemon.get("/policies/seeded").body["set_by"]) == (1, "budget.toml")
        assert admits(daemon, me)
        assert not admits(daemon, me)

        limit(daemon, "seeded", match={}, limit={"calls": 5})
        restart(daemon)
        assert calls(daemon) == 5
        assert admits(daemon, me)

        restart(daemon, seed.format(3))
        assert calls(daemon) == 3
        assert admits(daemon, me)
        assert not admits(daemon, me)

        daemon.delete("/policies/seeded")
        restart(daemon)
        refused(daemon.get("/policies/seeded"), 404, "not-found")
        restart(daemon, seed.format(4))
        assert calls(daemon) == 4


def calls(daemon: Daemon) -> int:
    found: int = daemon.get("/policies/seeded").body["policy"]["limit"]["calls"]
    return found


def restart(daemon: Daemon, config: str | None = None) -> None:
    assert daemon.stop() == 0
    if config is not None:
        daemon.config.write_text(config)
    daemon.start()
