"""Usage that was kept elsewhere comes in once, in its own time, and can be taken out again."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from daemon.journal.verify import verify
from tests.daemon_process import Daemon, running

IMPORT = "imp_0123456789abcdef"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("daemon")) as found:
        yield found


def row(number: int, **told: Any) -> dict[str, Any]:
    usual = {
        "key": hashlib.sha256(str(number).encode()).hexdigest()[:32],
        "at": "2025-06-16T09:30:00.5+02:00", "component": "old", "provider": "openai",
        "model": "gpt-4", "task_type": "chat", "input_tokens": 100, "output_tokens": 10,
        "usd": "0.003600001", "origin": {"file": "rhetor.db", "row": number},
    }  # fmt: skip
    return usual | told


def bring(daemon: Daemon, *rows: dict[str, Any], into: str = IMPORT) -> Any:
    return daemon.post("/imports", {"import_id": into, "rows": list(rows)})


def spent(daemon: Daemon, day: str) -> tuple[str, int, int]:
    asked = {"since": day, "component": "old"}
    asked["until"] = day[:-1] + str(int(day[-1]) + 1)
    total = daemon.post("/reports", asked).body["total"]
    return total["cost_usd"], total["tokens"], total["calls"]


def test_rows_come_in_once_count_on_their_day_and_go_out_again(daemon: Daemon) -> None:
    first = bring(daemon, row(1), row(2))
    again = bring(daemon, row(2), row(3))

    assert first.status == 201
    assert first.body == {
        "import_id": IMPORT, "booked": 2, "known": 0, "cost_usd": "0.007200002", "tokens": 220,
    }  # fmt: skip
    assert (again.body["booked"], again.body["known"], again.body["cost_usd"]) == (
        1, 1, "0.007200002",
    )  # fmt: skip
    assert spent(daemon, "2025-06-16") == ("0.010800003", 330, 3)
    (shown,) = daemon.get("/imports").body["items"]
    assert shown == {
        "import_id": IMPORT, "rows": 3, "cost_usd": "0.010800003", "tokens": 330,
        "first": "2025-06-16T07:30:00.000Z", "last": "2025-06-16T07:30:00.000Z",
    }  # fmt: skip
    entries = daemon.get(f"/entries?kind=imported&subject={IMPORT}").body["items"]
    assert [entry["body"]["origin"]["row"] for entry in entries] == [1, 2, 3]
    assert verify(daemon.data_dir).problems == []

    half = daemon.post(f"/imports/{IMPORT}/undo", {"limit": 2}).body
    rest = daemon.post(f"/imports/{IMPORT}/undo", {}).body

    assert (half["undone"], half["left"], rest["undone"], rest["left"]) == (2, 1, 1, 0)
    assert spent(daemon, "2025-06-16") == ("0.000000000", 0, 0)
    assert daemon.get("/imports").body["items"] == []
    assert verify(daemon.data_dir).problems == []
    assert bring(daemon, row(1)).body["booked"] == 1
    daemon.post(f"/imports/{IMPORT}/undo", {})


def test_what_is_imported_counts_in_no_policy(daemon: Daemon) -> None:
    daemon.post("/policies", {"name": "all", "limit": {"usd": "1.00"}, "period": "total"})
    bring(daemon, row(10, usd="5.00"))

    assert daemon.get("/balances").body["items"] == []
    assert daemon.post("/check", {"component": "old", "model": "gpt-4o"}).body["allowed"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"usd": "-1"}, "rows.0.usd"),
        ({"input_tokens": -1}, "rows.0.input_tokens"),
        ({"at": "2025-06-16T09:30:00"}, "rows.0.at"),
        ({"key": "short"}, "rows.0.key"),
        ({"component": "no name"}, "rows.0.component"),
    ],
)
def test_a_row_that_is_wrong_is_named_and_none_comes_in(
    daemon: Daemon, wrong: dict[str, Any], field: str
) -> None:
    answer = bring(daemon, row(20, **wrong), row(21))

    assert answer.status == 422
    assert [error["field"] for error in answer.body["errors"]] == [field]
    assert daemon.get(f"/entries?kind=imported&subject={IMPORT}").status == 200
    assert bring(daemon, row(21)).body["known"] == 0
    daemon.post(f"/imports/{IMPORT}/undo", {})


def test_the_same_row_twice_in_one_request_is_refused(daemon: Daemon) -> None:
    assert bring(daemon, row(30), row(30)).status == 422
