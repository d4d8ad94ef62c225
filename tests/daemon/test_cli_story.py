"""The command `budget` with a real daemon: from `up` to `down`."""

import csv
import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.conftest import Run, clean_environ, command

CHAT = {
    "prompt_tokens": 1800,
    "completion_tokens": 300,
    "total_tokens": 2100,
    "prompt_tokens_details": {"cached_tokens": 1024},
}
"""At gpt-5-mini's 0.25, 0.025 and 2 dollars a million: 776, 1024 and 300 tokens."""
CHAT_USD = "0.000819600"
UNKNOWN = f"rsv_{'0' * 32}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("story") / "data"


@pytest.fixture(scope="module")
def up(home: Path) -> Iterator[Run]:
    """Start one daemon for all tests here, and give the command that speaks with it.

    Each test has a component of its own, so that none spends another's money.
    """
    budget = command(clean_environ(home.parent) | {"BUDGET_DATA_DIR": str(home)}, home.parent)
    started = budget("up", "--port", "0")
    assert started.returncode == 0, started.stderr
    assert started.stdout.startswith("✓ ready on http://127.0.0.1:")
    yield budget
    stopped = budget("down")
    assert stopped.returncode == 0, stopped.stderr


def rule(up: Run, component: str, *limit: str) -> None:
    """Make a daily policy for one component, of the same name."""
    made = up("policy", "set", component, *limit, "--period", "daily", "--match",
              f"component={component}")  # fmt: skip
    assert made.returncode == 0, made.stderr


def test_a_policy_a_hold_a_settle_and_a_no(up: Run) -> None:
    made = up("policy", "set", "apollo-daily", "--usd", "$0.05", "--tokens", "100k", "--period",
              "daily", "--match", "component=apollo", "--why", "a trial")  # fmt: skip
    assert "apollo-daily  component=apollo  $0.05" in made.stdout

    held = up("reserve", "apollo", "gpt-5-mini", "--in", "2k", "--out", "1k", "--json")
    reservation = json.loads(held.stdout)["reservation_id"]
    settled = up("settle", reservation, stdin=json.dumps(CHAT))
    assert settled.stdout.startswith("settled  $0.0008196, 2,100 tokens  ent_")

    again = up("settle", reservation, "--in", "1")
    assert again.returncode == 1
    assert "was settled before" in again.stderr

    small = up("check", "apollo", "gpt-5-mini", "--in", "10k", "--out", "1k")
    assert (small.returncode, small.stdout) == (
        0, "yes  would hold $0.0045, 11,000 tokens, 1 call\n",
    )  # fmt: skip
    dear = up("check", "apollo", "claude-opus-4-5", "--in", "10k", "--out", "4k")
    assert dear.returncode == 5
    assert dear.stdout.startswith("no  cannot hold 0.15 USD for apollo")
    assert "policy   apollo-daily: $0.00082 used + $0.00 held of $0.05" in dear.stdout

    clean = up("verify")
    assert clean.returncode == 0
    assert "everything adds up" in clean.stdout


def test_a_denied_reserve_leaves_with_5_and_says_what_would_do(up: Run) -> None:
    rule(up, "denied", "--usd", "0.05")

    denied = up("reserve", "denied", "claude-opus-4-5", "--in", "1k", "--out", "4k", "--json")

    assert denied.returncode == 5
    problem = json.loads(denied.stdout)
    assert (problem["status"], problem["policy"], problem["limit"]) == (
        402,
        "denied",
        "0.050000000",
    )
    assert "fits     at most 1,800 output tokens" in denied.stderr
    assert "cheaper  claude-haiku-4-5 would hold $0.021" in denied.stderr
    assert "hint: ask for less" in denied.stderr


def test_the_same_key_holds_once(up: Run) -> None:
    call = ("reserve", "keyed", "gpt-5-mini", "--out", "1k", "--key", "call-1", "--json")

    assert json.loads(up(*call).stdout) == json.loads(up(*call).stdout)


def test_a_hold_that_is_given_back_costs_nothing(up: Run) -> None:
    rule(up, "given-back", "--usd", "1", "--calls", "10")
    reservation = up("reserve", "given-back", "gpt-5-mini", "--out", "1k").stdout.split()[0]

    assert up("release", reservation).stdout.startswith("released  ent_")

    balances = json.loads(up("balances", "--policy", "given-back", "--json").stdout)["items"]
    assert {at["axis"]: (at["used"], at["held"]) for at in balances} == {
        "usd": ("0.000000000", "0.000000000"),
        "calls": (0, 0),
    }


def test_what_is_not_there_leaves_with_4_and_the_wrong_token_with_6(up: Run) -> None:
    assert up("release", UNKNOWN).returncode == 4
    assert up("policy", "show", "nothing").returncode == 4
    refused = up("balances", env={"BUDGET_TOKEN": "tkb_wrong"})
    assert refused.returncode == 6
    assert refused.stderr.startswith("error: ")


def test_a_field_the_daemon_refuses_is_named_with_a_remedy(up: Run) -> None:
    wrong = up("policy", "set", "house", "--usd", "1", "--period", "dayly")

    assert wrong.returncode == 2
    assert "period: " in wrong.stderr
    assert "daily" in wrong.stderr


def test_recorded_usage_shows_in_balances_entries_and_every_format(up: Run) -> None:
    rule(up, "recorded", "--usd", "1")
    up("policy", "set", "calls", "--calls", "1k", "--each", "component", "--period", "hourly",
       "--match", "component=rec*")  # fmt: skip
    recorded = up("record", "recorded", "gpt-5-mini", "--usage", json.dumps(CHAT), "--tag", "a=b")
    assert recorded.stdout.startswith("settled  $0.0008196, 2,100 tokens")

    table = up("balances").stdout.splitlines()
    assert table[0].split() == ["policy", "limit", "used", "+", "held", "used", "held", "left",
                                "resets"]  # fmt: skip
    assert any("calls (recorded)  1,000 calls" in line for line in table)
    rows = list(csv.DictReader(io.StringIO(up("balances", "-o", "csv").stdout)))
    assert [row["used"] for row in rows if row["policy"] == "recorded"] == [CHAT_USD]
    assert rows[0]["window.starts"].endswith("Z")
    lines = up("entries", "--kind", "recorded", "-o", "jsonl").stdout.splitlines()
    assert [json.loads(line)["component"] for line in lines] == ["recorded"]
    entries = re.sub(" +", " ", up("entries").stdout)
    assert "recorded recorded $0.00082 2,100 gpt-5-mini" in entries


def test_a_price_is_shown_rate_by_rate_and_sums_to_the_last_digit(up: Run) -> None:
    shown = up("cost", "gpt-5-mini", stdin=json.dumps({"usage": CHAT})).stdout

    assert "cache_read  1,024 tokens  $0.025 / M  $0.0000256" in shown
    assert "total                                 $0.0008196" in shown
    assert "price openai/gpt-5-mini@" in shown


def test_prices_are_listed_with_their_source(up: Run) -> None:
    listed = up("prices", "list", "--provider", "openai", "--model", "gpt-5-mini")

    assert "openai    gpt-5-mini" in listed.stdout
    assert "litellm" in listed.stdout


def test_explain_names_every_policy_and_the_smallest_change(up: Run) -> None:
    rule(up, "explained", "--usd", "0.01")

    told = up("explain", "explained", "gpt-5-mini", "--in", "1k", "--out", "9k").stdout

    assert told.startswith("denied: would hold $0.0182, 10,000 tokens, 1 call")
    assert "✗ explained hard $0.01 $0.01 denies" in re.sub(" +", " ", told)
    assert "does not match: component" in told
    assert "to allow it: " in told


def test_a_policy_is_shown_with_its_balance_and_goes_when_removed(up: Run) -> None:
    up("policy", "set", "house", "--usd", "1", "--period", "daily", "--zone", "Europe/Berlin",
       "--warn-at", "0.5", "--override-priority", "10", "--override-usd", "5",
       "--match", "tag.team=web")  # fmt: skip

    shown = up("policy", "show", "house").stdout
    assert "house       $1.00 daily (Europe/Berlin)" in shown
    assert "applies to  tag.team=web" in shown
    assert "override    $5.00 from priority 10" in shown

    assert up("policy", "rm", "house", "--why", "enough").stdout.startswith("removed house  ent_")
    assert up("policy", "show", "house").returncode == 4


def test_status_says_how_the_daemon_is(up: Run) -> None:
    status = up("status")

    assert status.returncode == 0
    assert status.stdout.startswith("● healthy  http://127.0.0.1:")
    assert "pid " in status.stdout


def test_up_twice_is_fine(up: Run) -> None:
    again = up("up", "--port", "0")

    assert again.returncode == 0
    assert again.stdout.startswith("✓ already running on ")


def test_after_down_nobody_is_there(budget: Run, tmp_path: Path) -> None:
    where = ("--data-dir", str(tmp_path / "data"))
    assert budget("up", "--port", "0", *where).returncode == 0

    assert budget("down", *where).stdout.startswith("✓ stopped (pid ")

    assert budget("status", *where).returncode == 3
    assert not (tmp_path / "data" / "daemon.json").exists()


def test_a_daemon_that_cannot_start_says_why(up: Run, home: Path, tmp_path: Path) -> None:
    port = json.loads((home / "daemon.json").read_text())["url"].rpartition(":")[2]

    failed = up("up", "--port", port, "--data-dir", str(tmp_path / "other"))

    assert failed.returncode == 69
    assert "error: the daemon did not start" in failed.stderr
    assert "cannot listen on" in failed.stderr


def test_doctor_is_content_with_a_daemon_that_runs(up: Run) -> None:
    seen = up("doctor")

    assert seen.returncode == 0, seen.stdout
    assert " is healthy\n" in seen.stdout
    assert "✗" not in seen.stdout


def test_serve_says_when_it_is_ready_and_leaves_in_order(
    environ: dict[str, str], budget: Run, tmp_path: Path
) -> None:
    home = tmp_path / "data"
    command = [sys.executable, "-P", "-m", "daemon", "serve", "--port", "0"]
    command += ["--data-dir", str(home), "--socket", str(tmp_path / "s")]
    with subprocess.Popen(
        command, env=environ, cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        ready = next(line for line in process.stderr if line.startswith("budget is ready on http"))
        assert ready

        second = budget("serve", "--port", "0", "--data-dir", str(home))
        assert second.returncode == 75
        assert f"pid {process.pid}" in second.stderr
        over_socket = budget("status", "--socket", str(tmp_path / "s"), "--data-dir", str(home))

        process.send_signal(signal.SIGTERM)
        process.stderr.read()
    assert process.returncode == 0
    assert over_socket.stdout.startswith("● healthy  unix:")
    assert not (home / "daemon.json").exists()
