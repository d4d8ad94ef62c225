"""Moving from Rhetor and Apollo: what they kept comes in whole, once, and goes out again."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from daemon.journal.verify import verify
from tests.daemon_process import Daemon, running
from tests.harness.old_tekton import (
    apollo_directory,
    apollo_policy,
    apollo_record,
    rhetor_database,
    usage_row,
)

ROWS = 100_000 if os.environ.get("BUDGET_PROOF") == "long" else 10_000


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("daemon")) as found:
        yield found


def command(daemon: Daemon, *args: str) -> list[str]:
    where = ["--data-dir", str(daemon.data_dir), "-o", "json"]
    return [sys.executable, "-P", "-m", "daemon", "import", *args, *where]


def budget(daemon: Daemon, *args: str, code: int = 0) -> Any:
    done = subprocess.run(
        command(daemon, *args), capture_output=True, text=True, check=False, env=daemon.environ()
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def undo(daemon: Daemon, told: Any) -> Any:
    return budget(daemon, "undo", told["import_id"])


def total(daemon: Daemon, **asked: Any) -> tuple[Decimal, int, int]:
    span = {"since": "2025-06-01", "until": "2025-12-01", "zone": "Europe/Berlin"}
    found = daemon.post("/reports", span | asked).body["total"]
    return Decimal(found["cost_usd"]), found["tokens"], found["calls"]


def rows_there(daemon: Daemon) -> int:
    return sum(one["rows"] for one in daemon.get("/imports").body["items"])


def test_a_look_writes_nothing(daemon: Daemon, tmp_path: Path) -> None:
    path = rhetor_database(
        tmp_path / "rhetor.db", [usage_row(1)], [("daily", "all", 5.0, "warn", 1)]
    )
    told = budget(daemon, "rhetor", str(path), "--zone", "Europe/Berlin")

    assert told["applied"] is None
    assert (told["rows"], told["policies"]) == (1, ["rhetor:daily:all"])
    assert daemon.get("/imports").body["items"] == []
    assert daemon.get("/policies").body["items"] == []


def test_rhetors_rows_and_limits_come_in_once_and_go_out_again(
    daemon: Daemon, tmp_path: Path
) -> None:
    settings = [
        ("daily", "anthropic", 12.5, "enforce", 1), ("weekly", "all", 50, "warn", 1),
        ("monthly", "openai", 0.0, "warn", 1), ("daily", "openai", 9.0, "warn", 0),
    ]  # fmt: skip
    rows = [usage_row(number) for number in range(1500)]
    path = rhetor_database(tmp_path / "rhetor.db", rows, settings)
    told = budget(daemon, "rhetor", str(path), "--zone", "Europe/Berlin", "--apply")

    exact = sum((Decimal(str(row["cost"])).quantize(Decimal("1e-9")) for row in rows), Decimal(0))
    tokens = sum(row["input_tokens"] + row["output_tokens"] for row in rows)
    assert told["applied"] == {
        "booked": 1500, "known": 0, "cost_usd": format(exact, "f"), "tokens": tokens,
        "policies_set": 2, "policies_known": 0, "agrees": True,
    }  # fmt: skip
    assert total(daemon) == (exact, tokens, 1500)
    before_ten = total(daemon, until="2025-06-16T10:00+02:00")
    assert before_ten[2] == sum(row["timestamp"] < "2025-06-16T10:00" for row in rows)
    rule = daemon.get("/policies/rhetor:daily:anthropic").body["policy"]
    assert (rule["limit"]["usd"], rule["enforce"], rule["zone"]) == (
        "12.500000000", "hard", "Europe/Berlin",
    )  # fmt: skip

    elsewhere = tmp_path / "copy.db"
    path.rename(elsewhere)
    again = budget(daemon, "rhetor", str(elsewhere), "--zone", "Europe/Berlin", "--apply")
    assert (again["applied"]["booked"], again["applied"]["known"]) == (0, 1500)
    assert again["applied"]["policies_known"] == 2

    undone = undo(daemon, told)
    assert undone["undone"] == 1500
    assert sorted(undone["policies"]) == ["rhetor:daily:anthropic", "rhetor:weekly:all"]
    assert total(daemon) == (0, 0, 0)
    assert verify(daemon.data_dir).problems == []


def test_a_policy_somebody_changed_stays_when_its_import_is_undone(
    daemon: Daemon, tmp_path: Path
) -> None:
    path = rhetor_database(tmp_path / "rhetor.db", [], [("daily", "all", 5.0, "warn", 1)])
    told = budget(daemon, "rhetor", str(path), "--apply")
    limit = {"limit": {"usd": "7.00"}, "period": "daily"}
    daemon.post("/policies", {"name": "rhetor:daily:all", **limit})

    undo_all = subprocess.run(
        command(daemon, "undo", told["import_id"]), capture_output=True, check=False,
        env=daemon.environ(),
    )  # fmt: skip
    assert undo_all.returncode == 4  # nothing of it is left
    assert daemon.delete("/policies/rhetor:daily:all").status == 200


def test_rows_that_cannot_come_in_are_named_with_their_field(
    daemon: Daemon, tmp_path: Path
) -> None:
    rows = [
        usage_row(1), usage_row(2, input_tokens=-5), usage_row(3, cost=-0.1),
        usage_row(4, timestamp="yesterday"), usage_row(5, output_tokens="many"),
    ]  # fmt: skip
    settings = [("hourly", "all", 5.0, "warn", 1), ("daily", "all", 5.0, "maybe", 1)]
    path = rhetor_database(tmp_path / "rhetor.db", rows, settings)
    told = budget(daemon, "rhetor", str(path))

    assert [(one["place"], one["field"]) for one in told["refused"]] == [
        ("budget_settings row 1", "period"), ("budget_settings row 2", "enforcement"),
        ("usage row 2", "input_tokens"), ("usage row 3", "cost"), ("usage row 4", "timestamp"),
        ("usage row 5", "output_tokens"),
    ]  # fmt: skip
    said = budget(daemon, "rhetor", str(path), "--apply", code=1)
    assert "usage row 2: input_tokens is -5" in said
    assert total(daemon) == (0, 0, 0)

    done = budget(daemon, "rhetor", str(path), "--apply", "--without-refused")
    assert done["applied"]["booked"] == 1
    undo(daemon, done)


def test_every_figure_says_where_it_came_from(daemon: Daemon, tmp_path: Path) -> None:
    path = rhetor_database(tmp_path / "rhetor.db", [usage_row(4, cost=0.1 + 0.2)])
    told = budget(daemon, "rhetor", str(path), "--zone", "Europe/Berlin", "--apply")

    items = daemon.get(f"/entries?kind=imported&subject={told['import_id']}").body["items"]
    body = items[-1]["body"]
    assert body["origin"] == {
        "program": "rhetor", "file": str(path), "table": "usage", "row": 1,
        "timestamp": "2025-06-16T09:32:28.123456", "zone": "Europe/Berlin",
        "cost": "0.30000000000000004",
    }  # fmt: skip
    assert body["usd"] == 300_000_000
    assert body["at_ms"] == 1_750_059_148_000  # 07:32:28 UTC
    undo(daemon, told)


@pytest.mark.parametrize("content", [b"", b"not a database at all", None])
def test_what_is_no_database_of_rhetor_is_said(
    daemon: Daemon, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "other.db"
    if content is None:
        rhetor_database(path, [])
        with closing(sqlite3.connect(path)) as db:
            db.execute("ALTER TABLE usage DROP COLUMN cost")
    else:
        path.write_bytes(content)
    said = budget(daemon, "rhetor", str(path), code=65)

    assert str(path) in said


def test_apollos_policies_and_records_come_in_once(daemon: Daemon, tmp_path: Path) -> None:
    policies = [
        apollo_policy("warns"), apollo_policy("stops", type="hard_limit", component="chat bot"),
        apollo_policy("off", enabled=False), apollo_policy("odd", tier="huge"),
    ]  # fmt: skip
    records = [apollo_record(number) for number in range(30)]
    broken = [apollo_record(98, tokens_used=-1), apollo_record(99, timestamp=None)]
    home = apollo_directory(tmp_path / "budget_data", policies, records, [*records[10:], *broken])
    told = budget(daemon, "apollo", str(home), "--apply", "--without-refused")

    assert [(one["place"], one["field"]) for one in told["refused"]] == [
        ("budget_policies.json policy 4", "tier"),
        ("usage_records_1750000001.json record 21", "tokens_used"),
        ("usage_records_1750000001.json record 22", "timestamp"),
    ]
    assert (told["rows"], told["twice"]) == (30, 20)
    assert told["applied"]["agrees"]
    assert told["policies"] == ["apollo:warns", "apollo:stops"]
    rule = daemon.get("/policies/apollo:stops").body["policy"]
    assert (rule["enforce"], rule["override"]["priority"]) == ("hard", 10)
    assert rule["match"]["tags"] == {"apollo.tier": "remote_heavyweight"}
    assert total(daemon, component="apollo") == (0, sum(range(100, 130)), 30)
    again = budget(daemon, "apollo", str(home), "--apply", "--without-refused")
    assert (again["applied"]["booked"], again["applied"]["policies_known"]) == (0, 2)
    undo(daemon, told)


def test_a_file_apollo_cut_off_is_named(daemon: Daemon, tmp_path: Path) -> None:
    home = apollo_directory(tmp_path / "budget_data", [])
    (home / "budget_policies.json").write_text('[{"policy_id": "x", "metadata": ')
    told = budget(daemon, "apollo", str(home))

    assert [one["place"] for one in told["refused"]] == ["budget_policies.json"]
    assert "neither" in budget(daemon, "apollo", str(tmp_path), code=65)


def kept_by(source: str, home: Path) -> Path:
    """So many rows as Rhetor or Apollo would have left them."""
    if source == "rhetor":
        rows = [usage_row(number) for number in range(ROWS)]
        return rhetor_database(home / "rhetor.db", rows, [("daily", "all", 500.0, "warn", 1)])
    records = [apollo_record(number) for number in range(ROWS)]
    return apollo_directory(home / "budget_data", [], records[: ROWS // 2], records[ROWS // 2 :])


@pytest.mark.parametrize("source", ["rhetor", "apollo"])
def test_an_import_that_was_killed_goes_on_where_it_was(tmp_path: Path, source: str) -> None:
    """Both are killed in the middle, the import and the daemon; nothing is lost or doubled."""
    asked = (source, str(kept_by(source, tmp_path)), "--zone", "Europe/Berlin", "--apply")
    with running(tmp_path) as daemon:
        for killed in ("import", "daemon"):
            there = rows_there(daemon)
            with subprocess.Popen(
                command(daemon, *asked),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=daemon.environ(),
            ) as process:  # fmt: skip
                while process.poll() is None and rows_there(daemon) == there:
                    pass  # it reads the whole source first
                assert process.poll() is None
                if killed == "import":
                    process.kill()
                else:
                    daemon.kill()
                    assert process.wait() != 0
                    daemon.start()
        (part,) = daemon.get("/imports").body["items"]
        assert 0 < part["rows"] < ROWS
        assert verify(daemon.data_dir).problems == []

        told = budget(daemon, *asked)

        assert told["applied"]["known"] >= part["rows"]
        assert told["applied"]["booked"] + told["applied"]["known"] == ROWS
        assert told["applied"]["agrees"]
        assert total(daemon) == (Decimal(told["cost_usd"]), told["tokens"], ROWS)
        assert verify(daemon.data_dir).problems == []
