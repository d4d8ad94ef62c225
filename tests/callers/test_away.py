"""When the daemon is away: refuse, go on, or queue to disk and book later. Never twice."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest

from tekton_budget import BudgetClient, Unavailable, ask
from tekton_budget.delivery import BATCH_MAX, Delivered
from tekton_budget.flow import Away
from tests.callers.stranger import as_http, stranger
from tests.daemon_process import Daemon

MODEL = "gpt-4o"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100}


Clients = Callable[[Daemon, Away], BudgetClient]


@pytest.fixture
def client(queue: Path) -> Iterator[Clients]:
    """Make clients that try once; all are closed in the end."""
    with ExitStack() as stack:
        yield lambda daemon, away: stack.enter_context(
            BudgetClient(
                "caller", data_dir=daemon.data_dir, when_away=away, queue_dir=queue, tries=1
            )
        )


def recorded(daemon: Daemon) -> list[dict[str, object]]:
    items = daemon.get("/entries?limit=1000").body["items"]
    return [item for item in items if item["kind"] in ("recorded", "settled", "late")]


@pytest.fixture
def gone(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that ran here once and does not now: nobody is where it said it was."""
    daemon = Daemon(tmp_path)
    daemon.data_dir.mkdir(mode=0o700)
    told = {"url": "http://127.0.0.1:1", "socket": None, "pid": 1, "version": "0"}
    (daemon.data_dir / "daemon.json").write_text(json.dumps(told))
    yield daemon
    if daemon.lines:
        daemon.kill()


def test_with_deny_no_call_is_made_without_a_hold(client: Clients, gone: Daemon) -> None:
    with pytest.raises(Unavailable) as told, client(gone, "deny").hold(MODEL):
        pytest.fail("the call was made")

    assert told.value.facts["outcome"] == "not-applied"
    assert "budget up" in str(told.value)


def test_with_allow_the_call_goes_on_and_its_usage_is_forgotten_aloud(
    client: Clients, gone: Daemon, queue: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), client(gone, "allow").hold(MODEL) as hold:
        done = hold.settle({"usage": USAGE})

    assert not hold.reservation.backed
    assert done.kind == "dropped"
    assert "usage is forgotten" in caplog.text
    assert not queue.exists()


def test_with_queue_the_usage_is_booked_when_the_daemon_is_back(
    client: Clients, gone: Daemon
) -> None:
    away = client(gone, "queue")
    with away.hold(MODEL, task_type="chat", tags={"team": "web"}) as hold:
        assert hold.settle({"id": "chatcmpl-1", "usage": USAGE}).kind == "queued"
    with away.hold(MODEL, input_tokens=70, max_output_tokens=7):
        pass
    assert recorded(gone.start()) == []

    away.check(MODEL)  # the first word with a daemon brings along what waited

    first, second = (entry["body"] for entry in recorded(gone))
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert (first["usd"], first["task_type"], first["response_id"]) == (
        3_500_000, "chat", "chatcmpl-1",
    )  # fmt: skip
    assert first["tags"] == {"team": "web"}
    assert second["usage"] == {"input": 70, "output": 7}
    assert len(away._conduct.spool) == 0


def test_a_hold_that_outlives_the_daemon_is_settled_later(client: Clients, gone: Daemon) -> None:
    gone.start()
    budget = client(gone, "deny")
    with budget.hold(MODEL, max_output_tokens=500) as hold:
        gone.kill()
        assert hold.settle({"usage": USAGE}).kind == "queued"
    gone.start()

    assert budget.deliver() == Delivered(sent=1, refused=0, left=0)

    (entry,) = recorded(gone)
    assert (entry["kind"], entry["subject"]) == ("settled", hold.reservation.reservation_id)


def test_what_was_delivered_and_not_acknowledged_is_not_booked_twice(
    client: Clients, gone: Daemon, queue: Path
) -> None:
    away = client(gone, "queue")
    away.record(MODEL, USAGE)
    (path,) = queue.glob("*.json")
    kept = path.read_text()
    gone.start()
    away.deliver()
    path.write_text(kept)  # as if the machine had died before the file was removed

    assert away.deliver() == Delivered(1, 0, 0)
    assert len(recorded(gone)) == 1


def test_what_the_daemon_will_never_take_is_set_aside_with_the_reason(
    client: Clients, gone: Daemon, queue: Path
) -> None:
    away = client(gone, "queue")
    away.record(MODEL, {"no such count": 1})
    away.record(MODEL, USAGE)
    gone.start()

    assert away.deliver() == Delivered(sent=1, refused=1, left=0)

    (path,) = (queue / "refused").iterdir()
    told = json.loads(path.read_text())
    assert told["code"] == "invalid"
    assert told["booking"]["fields"]["usage"] == {"no such count": 1}


def test_a_client_finds_the_daemon_again_where_it_went(client: Clients, gone: Daemon) -> None:
    budget = client(gone, "deny")
    with pytest.raises(Unavailable):
        budget.check(MODEL)
    gone.start()

    assert budget.quote(MODEL, USAGE).cost_usd == Decimal("0.0035")


def test_an_unknown_policy_is_named(client: Clients, gone: Daemon) -> None:
    with pytest.raises(ValueError, match="deny, allow, queue"):
        client(gone, "maybe")  # type: ignore[arg-type]


def asked(requests: list[bytes]) -> list[list[str]]:
    """What each request carried, by the models it named."""
    bodies = [json.loads(one.partition(b"\r\n\r\n")[2]) for one in requests]
    return [[one["body"].get("model", "") for one in body["operations"]] for body in bodies]


DONE = {"status": 201, "body": {"entry_id": "ent_1", "kind": "recorded"}}
AGAIN = {"status": 503, "body": {"code": "unavailable", "detail": "in a moment"}}
NEVER = {"status": 422, "body": {"code": "invalid", "detail": "no such model"}}


def results(*outcomes: dict[str, object]) -> bytes:
    return as_http("200 OK", {"results": list(outcomes)})


def waiting(queue: Path, *models: str) -> None:
    """Bookings that were made while nobody was there."""
    nobody = BudgetClient("me", url="http://127.0.0.1:1", token="x", queue_dir=queue, tries=1)
    nobody.many([ask.record(model, USAGE) for model in models])


def test_the_queue_goes_in_one_request_and_each_file_by_its_own_outcome(queue: Path) -> None:
    waiting(queue, "first", "second", "third", "fourth")

    with (
        stranger(results(DONE, NEVER, AGAIN, DONE)) as (url, heard),
        BudgetClient("me", url=url, token="x", queue_dir=queue) as budget,
    ):
        assert budget.deliver() == Delivered(sent=2, refused=1, left=1)

    assert asked(heard) == [["first", "second", "third", "fourth"]]
    (left,) = queue.glob("*.json")
    assert json.loads(left.read_text())["fields"]["model"] == "third"


def test_two_bookings_of_one_hold_never_travel_together(queue: Path) -> None:
    nobody = BudgetClient("me", url="http://127.0.0.1:1", token="x", queue_dir=queue, tries=1)
    nobody.settle("rsv_1", USAGE, final=False)
    nobody.settle("rsv_1", USAGE)

    with (
        stranger(results(AGAIN)) as (url, heard),
        BudgetClient("me", url=url, token="x", queue_dir=queue) as budget,
    ):
        assert budget.deliver() == Delivered(sent=0, refused=0, left=2)

    assert len(heard) == 1


def test_what_spoils_a_request_is_found_and_the_others_are_booked(queue: Path) -> None:
    waiting(queue, "good", "bad", "also good")
    spoilt = as_http("400 Bad Request", {"code": "malformed", "detail": "it has a U+0000"})

    with (
        stranger(spoilt, results(DONE), spoilt, results(DONE)) as (url, heard),
        BudgetClient("me", url=url, token="x", queue_dir=queue) as budget,
    ):
        assert budget.deliver() == Delivered(sent=2, refused=1, left=0)

    assert asked(heard) == [["good", "bad", "also good"], ["good"], ["bad"], ["also good"]]


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"method": "POST"}', '{"method":"GET","target":"/","fields":{},"key":""}']
)
def test_a_file_that_is_no_booking_is_set_aside(queue: Path, text: str) -> None:
    waiting(queue, "good")
    (queue / "0-broken.json").write_text(text)

    with (
        stranger(results(DONE)) as (url, _),
        BudgetClient("me", url=url, token="x", queue_dir=queue) as budget,
    ):
        assert budget.deliver() == Delivered(sent=1, refused=1, left=0)


def test_a_wrong_token_leaves_the_queue_as_it_is(queue: Path) -> None:
    waiting(queue, "one", "two")
    stop = as_http("401 Unauthorized", {"code": "unauthenticated", "detail": "not one of ours"})

    with (
        stranger(stop) as (url, _),
        BudgetClient("me", url=url, token="x", queue_dir=queue) as budget,
    ):
        assert budget.deliver() == Delivered(sent=0, refused=0, left=2)


def test_a_daemon_killed_in_the_middle_of_a_delivery_books_each_once(
    client: Clients, gone: Daemon, queue: Path
) -> None:
    count = 4 * BATCH_MAX
    waiting(queue, *[MODEL] * count)
    gone.start()
    delivering = threading.Thread(target=client(gone, "queue").deliver)
    delivering.start()
    deadline = time.monotonic() + 10
    while len(list(queue.glob("*.json"))) == count and time.monotonic() < deadline:
        pass
    gone.kill()
    delivering.join()
    gone.start()

    client(gone, "queue").deliver()

    assert len(recorded(gone)) == count
    assert list(queue.glob("*.json")) == []
