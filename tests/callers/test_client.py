"""The client for callers, against a real daemon: the verbs, the hold, the refusals."""

import json
import re
import threading
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from tekton_budget import AsyncBudgetClient, BudgetClient, Denied, Unavailable, errors
from tests.callers.stranger import as_http, stranger
from tests.daemon_process import Daemon, running
from tests.harness.certificate import certificate

MODEL = "gpt-4o"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100}
COST = Decimal("0.0035")
"""Of USAGE: 2.50 and 10 USD per million."""


def booked(daemon: Daemon, kind: str, subject: str) -> list[dict[str, object]]:
    items = daemon.get(f"/entries?subject={subject}&kind={kind}").body["items"]
    return [item["body"] for item in items]


def test_a_call_is_held_before_and_booked_after(budget: BudgetClient) -> None:
    held = budget.reserve(MODEL, input_tokens=1000, max_output_tokens=500)
    done = budget.settle(held.reservation_id, USAGE)

    assert held.backed
    assert held.held.usd == Decimal("0.0075")
    assert (done.kind, done.cost_usd, done.tokens) == ("settled", COST, 1100)


def test_a_block_books_what_the_answer_says(budget: BudgetClient) -> None:
    with budget.hold(MODEL, max_output_tokens=500) as hold:
        done = hold.settle({"id": "chatcmpl-block", "model": MODEL, "usage": USAGE})

    assert done.cost_usd == COST


def test_a_block_that_tells_nothing_costs_what_it_held(
    daemon: Daemon, budget: BudgetClient
) -> None:
    with budget.hold(MODEL, input_tokens=1000, max_output_tokens=500) as hold:
        pass

    (entry,) = booked(daemon, "settled", hold.reservation.reservation_id)
    assert (entry["usd"], entry["estimated"]) == (7_500_000, True)


def test_a_block_that_fails_gives_the_hold_back(daemon: Daemon, budget: BudgetClient) -> None:
    with pytest.raises(ConnectionError), budget.hold(MODEL, max_output_tokens=500) as hold:
        raise ConnectionRefusedError

    assert booked(daemon, "released", hold.reservation.reservation_id)


@pytest.mark.parametrize("error", [TimeoutError, KeyboardInterrupt])
def test_a_block_that_was_left_waiting_costs_what_it_held(
    daemon: Daemon, budget: BudgetClient, error: type[BaseException]
) -> None:
    with pytest.raises(error), budget.hold(MODEL, max_output_tokens=500) as hold:
        raise error

    assert booked(daemon, "settled", hold.reservation.reservation_id)


def test_parts_are_booked_as_they_come_and_the_rest_is_given_back(
    daemon: Daemon, budget: BudgetClient
) -> None:
    with budget.hold(MODEL, input_tokens=5000, max_output_tokens=500) as hold:
        first = hold.draw(USAGE)
        hold.draw(USAGE)

    assert first.cost_usd == COST
    assert len(booked(daemon, "drawn", hold.reservation.reservation_id)) == 2
    assert booked(daemon, "released", hold.reservation.reservation_id)


def test_a_tracked_function_is_held_and_booked(daemon: Daemon, budget: BudgetClient) -> None:
    @budget.track(MODEL, max_output_tokens=500)
    def ask(prompt: str) -> dict[str, object]:
        return {"id": f"chatcmpl-{prompt}", "usage": USAGE}

    assert ask("tracked")["id"] == "chatcmpl-tracked"

    entries = daemon.get("/entries?component=caller&kind=settled&limit=1000").body["items"]
    assert "chatcmpl-tracked" in [entry["body"].get("response_id") for entry in entries]


def test_a_refusal_has_the_figures(budget: BudgetClient) -> None:
    budget.set_policy(
        "pocket", {"usd": Decimal("0.01")}, "daily", match={"component": "poor"}, enforce="hard"
    )

    with pytest.raises(Denied) as told:
        budget.reserve(MODEL, component="poor", max_output_tokens=100_000)

    assert told.value.facts["policy"] == "pocket"
    assert told.value.facts["limit"] == "0.010000000"
    assert not budget.check(MODEL, component="poor", max_output_tokens=100_000).allowed
    assert [shown.policy["name"] for shown in budget.policies()] == ["pocket"]
    budget.remove_policy("pocket")
    assert list(budget.policies()) == []


def test_an_allocation_is_drawn_from_and_given_back(budget: BudgetClient) -> None:
    set_aside = budget.allocate("session-1", tokens=4000)
    budget.record(MODEL, USAGE, allocation_id=set_aside.allocation_id)
    grown = budget.extend_allocation(set_aside.allocation_id, tokens=1000)

    assert set_aside.covers == ("tokens",)
    assert (grown.held.tokens, grown.spent.tokens) == (3900, 1100)
    assert budget.release_allocation(set_aside.allocation_id).status == "released"
    assert budget.show_allocation(set_aside.allocation_id).status == "released"


def test_the_same_key_is_the_same_hold(budget: BudgetClient) -> None:
    first = budget.reserve(MODEL, key="once", max_output_tokens=10)

    assert budget.reserve(MODEL, key="once", max_output_tokens=10) == first
    with pytest.raises(errors.KeyReused):
        budget.reserve(MODEL, key="once", max_output_tokens=11)


def test_what_is_wrong_with_a_field_is_said(budget: BudgetClient) -> None:
    with pytest.raises(errors.Invalid) as told:
        budget.reserve(MODEL, priority=11)

    assert told.value.facts["errors"][0]["field"] == "priority"


def test_many_threads_share_a_client(budget: BudgetClient) -> None:
    found: list[str] = []

    def work() -> None:
        found.extend(budget.reserve(MODEL, max_output_tokens=1).reservation_id for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found)) == 80


HELD = {
    "reservation_id": "rsv_1", "status": "held", "outcome": "allowed", "component": "me",
    "model": MODEL, "news_of_a_later_daemon": {},
}  # fmt: skip
BUSY = {"code": "busy", "detail": "too much is waiting"}


def test_what_may_have_been_done_is_asked_again_under_the_same_key(queue: Path) -> None:
    answers = (b"", as_http("429 Busy", BUSY), as_http("201 Created", HELD))
    with (
        stranger(*answers) as (url, heard),
        BudgetClient("me", url=url, token="x", queue_dir=queue) as budget,
    ):
        assert budget.reserve(MODEL).reservation_id == "rsv_1"

    keys = {re.findall(rb"Idempotency-Key: (\S+)", request)[0] for request in heard}
    assert (len(heard), len(keys)) == (3, 1)


def test_coroutines_ask_again_too_and_read_what_a_proxy_cuts_into_chunks(queue: Path) -> None:
    text = json.dumps(HELD).encode()
    parts = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (text[:9], text[9:], b""))
    chunked = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n" + parts

    async def reserve(url: str) -> str:
        async with AsyncBudgetClient("me", url=url, token="x", queue_dir=queue) as budget:
            return (await budget.reserve(MODEL)).reservation_id

    with stranger(b"", chunked) as (url, heard):
        assert anyio.run(reserve, url) == "rsv_1"

    assert len(heard) == 2


@pytest.mark.parametrize("answer", [b"", None])
def test_an_answer_that_does_not_come_is_an_unknown_outcome(
    queue: Path, answer: bytes | None
) -> None:
    with (
        stranger(answer) as (url, _),
        BudgetClient(url=url, token="x", queue_dir=queue, tries=1, timeout_s=0.2) as budget,
        pytest.raises(Unavailable) as told,
    ):
        budget.reserve(MODEL, component="me")

    assert told.value.facts["outcome"] == "unknown"


def test_another_program_on_the_port_is_not_taken_for_a_daemon(queue: Path) -> None:
    with (
        stranger(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as (url, _),
        BudgetClient("me", url=url, token="x", queue_dir=queue) as budget,
        pytest.raises(errors.BudgetError, match="no JSON object"),
    ):
        budget.check(MODEL)


def test_over_tls_a_client_trusts_its_own_daemons_certificate(tmp_path: Path, queue: Path) -> None:
    pem = certificate(tmp_path / "budget.pem", host="budget.example")

    async def later(daemon: Daemon) -> bool:
        async with AsyncBudgetClient("me", data_dir=daemon.data_dir, queue_dir=queue) as budget:
            return (await budget.check(MODEL, max_output_tokens=1)).allowed

    with running(tmp_path, f'[daemon]\ntls_cert = "{pem}"\ntls_key = "{pem}"\n') as daemon:
        with BudgetClient("me", data_dir=daemon.data_dir, queue_dir=queue) as budget:
            assert budget.check(MODEL, max_output_tokens=1).allowed
        assert anyio.run(later, daemon)
        url, token = daemon.told["url"], daemon.token
        with (
            BudgetClient("me", url=url, token=token, queue_dir=queue, tries=1) as stranger,
            pytest.raises(Unavailable),
        ):
            stranger.check(MODEL)


def test_the_unix_socket_goes_before_the_port(tmp_path: Path, queue: Path) -> None:
    path = tmp_path / "budget.sock"
    with running(tmp_path, f'[daemon]\nsocket = "{path}"\n') as daemon:
        with BudgetClient("me", data_dir=daemon.data_dir, queue_dir=queue) as budget:
            assert budget.check(MODEL, max_output_tokens=1).allowed
            (place, _), *_ = budget._wire._idle

        assert place.url == f"unix:{path}"
