"""Several asks in one request: each has its own outcome, and a key means the same as alone."""

import json
from decimal import Decimal
from inspect import Signature, signature
from pathlib import Path
from typing import Any

import anyio
import pytest

from protocols.operations import BY_NAME
from tekton_budget import AsyncBudgetClient, BudgetClient, Denied, Unavailable, ask, errors
from tekton_budget.ask import PREFIX, SPENDING
from tekton_budget.batch import BYTES_MAX, OPERATIONS_MAX, cut
from tekton_budget.item import PATHS, item
from tekton_budget.replies import Booked, Checked, Released, Reservation
from tests.callers.stranger import as_http, stranger
from tests.daemon_process import Daemon

MODEL = "gpt-4o"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "cost": 0.0000045}


def test_the_clients_table_is_that_of_the_daemon() -> None:
    operations = {name: BY_NAME[name] for name in PATHS}

    assert {name: operation.path for name, operation in operations.items()} == PATHS
    assert {operation.method for operation in operations.values()} == {"POST"}
    assert all(one.keyed or one.role == "read" for one in operations.values())
    assert set(SPENDING) == {PREFIX + one.path for one in operations.values() if one.begins}


def test_what_is_in_the_path_goes_into_the_body() -> None:
    told = item(ask.settle("rsv_1", {"input": 1}, key="k", final=False))

    assert told == {
        "operation": "settle",
        "body": {"usage": {"input": 1}, "final": False, "reservation_id": "rsv_1"},
        "idempotency_key": "k",
    }
    assert item(ask.show_allocation("alc_1")) is None
    assert item(ask.set_policy("p", {"calls": 1}, "daily")) is None


def test_each_has_its_own_outcome_in_order(budget: BudgetClient) -> None:
    budget.set_policy("shut", {"calls": 0}, "daily", match={"component": "poor"}, enforce="hard")
    held = budget.reserve(MODEL, max_output_tokens=500)

    settled, denied, wrong, checked, ours, gone = budget.many(
        [
            ask.settle(held.reservation_id, USAGE),
            ask.reserve(MODEL, component="poor"),
            ask.reserve(MODEL, priority=11),
            ask.check(MODEL, max_output_tokens=1),
            ask.reserve(MODEL, max_output_tokens=1),
            ask.release("rsv_0000000000000000000000000"),
        ]
    )

    assert isinstance(settled, Booked)
    assert settled.cost_usd == Decimal("0.0035")
    assert isinstance(denied, Denied)
    assert denied.facts["policy"] == "shut"
    assert isinstance(wrong, errors.Invalid)
    assert isinstance(checked, Checked)
    assert checked.allowed
    assert isinstance(ours, Reservation)
    assert ours.component == "caller"
    assert isinstance(gone, errors.BudgetError)
    budget.remove_policy("shut")


def test_more_than_the_daemon_takes_at_once_go_in_several_requests(budget: BudgetClient) -> None:
    asked = [ask.quote(MODEL, {"input": number}) for number in range(OPERATIONS_MAX + 1)]

    quotes = budget.many(asked)

    assert [one for one in quotes if isinstance(one, errors.BudgetError)] == []
    assert [len(some) for some in cut(asked, range(len(asked)))] == [OPERATIONS_MAX, 1]
    long = [ask.check(MODEL, input_text="x" * (BYTES_MAX // 3))] * 4
    assert list(cut(long, [0, 1, 3])) == [[0, 1], [3]]


def test_coroutines_do_the_same(budget_later: AsyncBudgetClient) -> None:
    async def work() -> list[Released | errors.BudgetError]:
        async with budget_later as budget:
            held = await budget.many([ask.reserve(MODEL, max_output_tokens=1)] * 2)
            assert held[0] == held[1]  # one ask, one key
            assert isinstance(held[0], Reservation)
            return await budget.many([ask.release(held[0].reservation_id)])

    (released,) = anyio.run(work)
    assert isinstance(released, Released)


def test_a_key_means_the_same_alone_and_among_others(daemon: Daemon, budget: BudgetClient) -> None:
    reserve = ask.reserve(MODEL, input_text="é\x7f\n/", key="through-both-doors")
    held = budget.ask(reserve)
    settle = ask.settle(held.reservation_id, USAGE)
    booked = budget.ask(settle)
    record = ask.record(MODEL, USAGE, tags={"team": "web"})

    (recorded,) = budget.many([record])

    assert budget.many([reserve, settle]) == [held, booked]
    assert budget.ask(record) == recorded
    kinds = daemon.get(f"/entries?subject={held.reservation_id}").body["items"]
    assert [entry["kind"] for entry in kinds] == ["held", "settled"]


def test_what_has_to_go_by_itself_is_not_taken(budget: BudgetClient) -> None:
    with pytest.raises(ValueError, match="GET /api/v1/allocations/alc_1 goes by itself"):
        budget.many([ask.show_allocation("alc_1")])


def test_only_those_that_found_the_daemon_busy_are_sent_again(queue: Path) -> None:
    told: dict[str, Any] = {"allowed": True, "outcome": "allowed"}
    busy = {"status": 429, "body": {"code": "busy", "detail": "too much is waiting"}}
    answers = (
        as_http("200 OK", {"results": [busy, {"status": 200, "body": told}]}),
        b"",
        as_http("200 OK", {"results": [{"status": 200, "body": told}]}),
    )
    with (
        stranger(*answers) as (url, heard),
        BudgetClient("me", url=url, token="x", queue_dir=queue) as budget,
    ):
        outcomes = budget.many([ask.check("one"), ask.check("other")])

    assert [one.allowed for one in outcomes if isinstance(one, Checked)] == [True, True]
    asked = [json.loads(request.partition(b"\r\n\r\n")[2])["operations"] for request in heard]
    models = [[one["body"]["model"] for one in some] for some in asked]
    assert models == [["one", "other"], ["one"], ["one"]]


def test_when_the_daemon_is_away_each_is_treated_as_alone(queue: Path) -> None:
    reserve, settle = ask.reserve(MODEL, component="me"), ask.settle("rsv_1", USAGE)
    checked = ask.check(MODEL, component="me")
    nobody = {"url": "http://127.0.0.1:1", "token": "x", "queue_dir": queue, "tries": 1}

    with BudgetClient(when_away="queue", **nobody) as budget:
        held, booked, unknown = budget.many([reserve, settle, checked])
    with BudgetClient(when_away="deny", **nobody) as budget:
        (refused,) = budget.many([reserve])

    assert isinstance(held, Reservation)
    assert not held.backed
    assert isinstance(booked, Booked)
    assert booked.kind == "queued"
    assert len(list(queue.glob("*.json"))) == 1
    assert isinstance(unknown, Unavailable)
    assert isinstance(refused, Unavailable)


def test_a_verb_shows_what_it_takes_and_says_what_it_is_for(budget: BudgetClient) -> None:
    for name in ("reserve", "settle", "report", "policies"):
        verb, build = getattr(budget, name), getattr(ask, name)
        assert signature(verb) == signature(build).replace(return_annotation=Signature.empty)
        assert verb.__doc__ == getattr(AsyncBudgetClient, name).__doc__ == build.__doc__
