"""The documented contract of a call, word for word: held, used, booked, and never twice."""

from typing import Any

import pytest

from tests.daemon_process import Daemon
from tests.stories.words import (
    ALLOCATION,
    CALL,
    ENTRY,
    INSTANT,
    PRICE,
    RESERVATION,
    USAGE,
    Like,
    balance,
    extend,
    limit,
    made,
    refused,
    release,
    reserve,
    settle,
)


def test_a_reservation_says_what_is_held_until_when_and_where_each_policy_stands(
    daemon: Daemon, me: str
) -> None:
    limit(daemon, me, limit={"usd": "0.010", "tokens": 100_000}, period="daily")

    assert reserve(daemon, me) == {
        "reservation_id": RESERVATION,
        "status": "held",
        "outcome": "allowed",
        "component": me,
        "provider": "anthropic",
        "model": "claude-haiku-4-5",
        "held": {"usd": "0.003000000", "tokens": 1_400, "calls": 1},
        "price_version": PRICE,
        "estimated": False,
        "expires_at": INSTANT,
        "warnings": [],
        "policies": [
            {
                "policy": me, "axis": "usd",
                "limit": "0.010000000", "used": "0.000000000",
                "held": "0.003000000", "left": "0.007000000",
                "window": {"starts": INSTANT, "ends": INSTANT},
            },
            {
                "policy": me, "axis": "tokens",
                "limit": 100_000, "used": 0, "held": 1_400, "left": 98_600,
                "window": {"starts": INSTANT, "ends": INSTANT},
            },
        ],
        "instead_of": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "held", "estimated"),
    [
        ({"usd": "0.25"}, {"usd": "0.250000000", "tokens": 1_400, "calls": 1}, False),
        ({"input_tokens": 0}, {"usd": "0.002000000", "tokens": 400, "calls": 1}, False),
        ({"max_output_tokens": 0}, {"usd": "0.001000000", "tokens": 1_000, "calls": 1}, False),
        ({"max_output_tokens": None}, {"usd": "0.011000000", "tokens": 3_000, "calls": 1}, True),
        (
            {"max_output_tokens": None, "task_type": "coding", "priority": 10},
            {"usd": "0.161000000", "tokens": 33_000, "calls": 1},
            True,
        ),
        ({"provider": "anthropic"}, {"usd": "0.003000000", "tokens": 1_400, "calls": 1}, False),
        (
            {"provider": "ollama", "model": "llama3"},
            {"usd": "0.000000000", "tokens": 1_400, "calls": 1},
            False,
        ),
    ],
)
def test_what_is_held_follows_from_what_is_told(
    daemon: Daemon, me: str, fields: dict[str, Any], held: dict[str, Any], *, estimated: bool
) -> None:
    answer = reserve(daemon, me, **fields)

    assert (answer["held"], answer["estimated"]) == (held, estimated)


def test_a_text_is_counted_and_never_kept(daemon: Daemon, me: str) -> None:
    text = "the quick brown fox jumps over the lazy dog " * 20
    held = reserve(daemon, me, input_tokens=None, input_text=text)

    assert held["estimated"]
    assert 400 < held["held"]["tokens"] < 400 + len(text)
    assert text[:40] not in str(daemon.get(f"/entries?component={me}").body)


def test_a_reservation_can_be_looked_at(daemon: Daemon, me: str) -> None:
    facts = {"task_type": "coding", "context_id": "session-7", "metadata": {"why": "a test"}}
    held = reserve(daemon, me, **facts)
    place = f"/reservations/{held['reservation_id']}"

    shown = daemon.get(place).body
    assert shown == facts | {
        "id": held["reservation_id"], "status": "held", "component": me,
        "provider": "anthropic", "model": "claude-haiku-4-5",
        "held": held["held"], "spent": {"usd": "0.000000000", "tokens": 0, "calls": 0},
        "price_version": held["price_version"], "estimated": False,
        "expires_at": held["expires_at"], "allocation_id": None,
    }  # fmt: skip

    settle(daemon, held)
    shown = daemon.get(place).body
    assert shown["status"] == "settled"
    assert shown["held"] == {"usd": "0.000000000", "tokens": 0, "calls": 0}
    assert (shown["spent"]["usd"], shown["spent"]["tokens"]) == ("0.001300000", 900)


def test_reservations_are_listed_page_by_page(daemon: Daemon, me: str) -> None:
    made_here = [reserve(daemon, me)["reservation_id"] for _ in range(5)]
    settle(daemon, {"reservation_id": made_here[1]})
    seen, cursor = [], ""
    for _ in range(3):
        page = daemon.get(f"/reservations?component={me}&limit=2{cursor}").body
        seen += [row["id"] for row in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"

    assert seen == made_here
    assert page["next_cursor"] is None
    settled = daemon.get(f"/reservations?component={me}&status=settled").body["items"]
    assert [row["id"] for row in settled] == [made_here[1]]


PROVIDERS: dict[str, tuple[dict[str, Any], dict[str, Any], str, int]] = {
    "anthropic": (
        {"model": "claude-haiku-4-5"},
        {
            "input_tokens": 1_000, "output_tokens": 400, "service_tier": "standard",
            "cache_creation_input_tokens": 200, "cache_read_input_tokens": 3_000,
            "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 0},
        },
        "0.003550000", 4_600,
    ),
    "openai-chat": (
        {"model": "gpt-4o-mini"},
        {
            "prompt_tokens": 2_000, "completion_tokens": 500, "total_tokens": 2_500,
            "prompt_tokens_details": {"cached_tokens": 1_500, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 200},
        },
        "0.000487500", 2_500,
    ),
    "openai-responses": (
        {"model": "gpt-5"},
        {
            "input_tokens": 1_000, "input_tokens_details": {"cached_tokens": 600},
            "output_tokens": 300, "output_tokens_details": {"reasoning_tokens": 128},
            "total_tokens": 1_300,
        },
        "0.003575000", 1_300,
    ),
    "gemini": (
        {"provider": "google", "model": "gemini-2.5-flash"},
        {
            "promptTokenCount": 1_200, "cachedContentTokenCount": 200,
            "candidatesTokenCount": 300, "thoughtsTokenCount": 100, "totalTokenCount": 1_600,
        },
        "0.001306000", 1_600,
    ),
    "bedrock": (
        {"provider": "bedrock", "model": "amazon.nova-pro-v1:0"},
        {
            "inputTokens": 1_000, "outputTokens": 500, "totalTokens": 3_500,
            "cacheReadInputTokens": 2_000,
        },
        "0.002800000", 3_500,
    ),
    "cohere": (
        {"provider": "cohere", "model": "command-r-08-2024"},
        {
            "billed_units": {"input_tokens": 100, "output_tokens": 50},
            "tokens": {"input_tokens": 466, "output_tokens": 50},
        },
        "0.000045000", 150,
    ),
    "ollama": (
        {"provider": "ollama", "model": "llama3.2"},
        {"model": "llama3.2", "done": True, "prompt_eval_count": 26, "eval_count": 298},
        "0.000000000", 324,
    ),
    "normalised": (
        {"model": "claude-haiku-4-5"},
        {
            "input": 1_000, "cache_read": 3_000, "cache_write_1h": 100, "output": 200,
            "web_search": 2,
        },
        "0.022500000", 4_300,
    ),
    "a whole response": (
        {"model": "claude-haiku-4-5"},
        {
            "id": "msg_1", "type": "message", "model": "claude-haiku-4-5-20251001",
            "usage": {"input_tokens": 1_000, "output_tokens": 400},
        },
        "0.003000000", 1_400,
    ),
}  # fmt: skip
"""What is called, the usage as its provider tells it, and what that costs by hand."""


@pytest.mark.parametrize("shape", PROVIDERS)
def test_a_settle_takes_every_providers_own_usage_object(
    daemon: Daemon, me: str, shape: str
) -> None:
    called, usage, cost_usd, tokens = PROVIDERS[shape]
    held = reserve(daemon, me, usd="1", input_tokens=10_000, **called)

    assert made(settle(daemon, held, usage), 200) == {
        "reservation_id": held["reservation_id"], "status": "settled", "kind": "settled",
        "cost_usd": cost_usd, "tokens": tokens, "entry_id": ENTRY,
    }  # fmt: skip


def test_a_settle_above_its_hold_is_booked_in_full(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"usd": "0.010"})
    held = reserve(daemon, me)

    booked = made(settle(daemon, held, {"input_tokens": 1_000, "output_tokens": 2_000}), 200)

    assert (booked["kind"], booked["cost_usd"]) == ("overrun", "0.011000000")
    assert balance(daemon, me) == {
        "used": "0.011000000", "held": "0.000000000", "left": "-0.001000000",
    }  # fmt: skip
    refused(daemon.post("/reservations", CALL | {"component": me}), 402, "denied")


def test_a_hold_can_be_settled_in_parts(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"usd": "0.010"})
    held = reserve(daemon, me)

    part = made(settle(daemon, held, final=False), 200)
    assert (part["status"], part["kind"], part["cost_usd"]) == ("held", "settled", "0.001300000")
    assert balance(daemon, me)["held"] == "0.001700000"
    last = made(settle(daemon, held), 200)
    assert (last["status"], last["cost_usd"]) == ("settled", "0.001300000")
    assert balance(daemon, me) == {
        "used": "0.002600000", "held": "0.000000000", "left": "0.007400000",
    }  # fmt: skip


def test_a_settle_without_usage_costs_what_was_held(daemon: Daemon, me: str) -> None:
    booked = made(settle(daemon, reserve(daemon, me), {}), 200)

    assert (booked["cost_usd"], booked["tokens"]) == ("0.003000000", 1_400)


def test_a_settle_for_another_model_is_priced_as_that_model(daemon: Daemon, me: str) -> None:
    held = reserve(daemon, me)

    booked = made(settle(daemon, held, {"input": 1_000}, model="claude-haiku-5-5"), 200)

    assert booked["cost_usd"] == "0.000100000"


def test_a_release_gives_everything_back(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"usd": "0.003", "tokens": 1_400, "calls": 1})
    held = reserve(daemon, me)
    refused(daemon.post("/reservations", CALL | {"component": me}), 402, "denied")

    assert made(release(daemon, held), 200) == {
        "reservation_id": held["reservation_id"], "status": "released", "entry_id": ENTRY,
    }  # fmt: skip
    reserve(daemon, me)


@pytest.mark.parametrize("second", [settle, release, extend])
@pytest.mark.parametrize("first", [settle, release])
def test_a_hold_ends_once(daemon: Daemon, me: str, first: Any, second: Any) -> None:
    held = reserve(daemon, me)
    made(first(daemon, held), 200)
    before = daemon.get(f"/entries?subject={held['reservation_id']}").body

    refused(second(daemon, held), 409, "hold-ended")
    assert daemon.get(f"/entries?subject={held['reservation_id']}").body == before


def test_a_hold_grows_as_far_as_its_policies_allow(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"usd": "0.010", "tokens": 2_000})
    held = reserve(daemon, me)

    larger = made(extend(daemon, held, usd="0.002", tokens=600, ttl_s=3_600), 200)
    assert larger["held"] == {"usd": "0.005000000", "tokens": 2_000, "calls": 1}
    assert larger["expires_at"] > held["expires_at"]
    problem = refused(extend(daemon, held, tokens=1), 402, "denied")
    assert (problem["policy"], problem["axis"], problem["left"]) == (me, "tokens", 0)
    assert daemon.get(f"/reservations/{held['reservation_id']}").body["held"] == larger["held"]
    assert made(settle(daemon, held), 200)["kind"] == "settled"


def test_usage_after_the_hold_expired_is_booked_as_late(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"usd": "0.010"})
    held = reserve(daemon, me, ttl_s=1)
    daemon.until(f"/reservations/{held['reservation_id']}", lambda shown: shown["status"] != "held")

    assert daemon.get(f"/reservations/{held['reservation_id']}").body["status"] == "expired"
    assert balance(daemon, me)["held"] == "0.000000000"
    refused(release(daemon, held), 409, "hold-ended")
    booked = made(settle(daemon, held), 200)
    assert (booked["kind"], booked["cost_usd"]) == ("late", "0.001300000")
    assert balance(daemon, me)["used"] == "0.001300000"
    refused(settle(daemon, held), 409, "hold-ended")


def test_usage_without_a_hold_is_booked(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"usd": "0.001"})
    body = {"component": me, "model": "claude-haiku-4-5", "usage": USAGE}

    for _ in range(2):
        assert made(daemon.post("/usage", body)) == {
            "reservation_id": None, "status": "settled", "kind": "settled",
            "cost_usd": "0.001300000", "tokens": 900, "entry_id": ENTRY,
        }  # fmt: skip
    assert balance(daemon, me)["used"] == "0.002600000"


def test_one_response_is_booked_once(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 10})
    body = {
        "component": me, "model": "claude-haiku-4-5", "usage": USAGE, "response_id": "msg_01",
    }  # fmt: skip

    assert daemon.post("/usage", body).raw == daemon.post("/usage", body).raw
    assert balance(daemon, me)["used"] == 1
    other = body | {"usage": {"input_tokens": 9, "output_tokens": 9}}
    refused(daemon.post("/usage", other), 422, "key-reused")
    made(daemon.post("/usage", other | {"response_id": "msg_02"}))
    assert balance(daemon, me)["used"] == 2


def test_a_refusal_names_what_would_fit_and_what_is_cheaper(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"usd": "0.0020"}, period="monthly")
    wanted = CALL | {"component": me}

    problem = refused(daemon.post("/reservations", wanted), 402, "denied")
    assert (problem["policy"], problem["axis"], problem["left"]) == (me, "usd", "0.002000000")
    assert problem["resets_at"] == INSTANT
    assert problem["fits"] == {"max_output_tokens": 200}
    for rival in problem["cheaper"]:
        instead = {"provider": rival["provider"], "model": rival["model"]}
        held = made(daemon.post("/reservations", wanted | instead))
        assert held["held"]["usd"] == rival["usd"]
        release(daemon, held)
    assert problem["cheaper"]
    made(daemon.post("/reservations", wanted | problem["fits"]))


def test_a_model_without_a_price_is_refused_where_dollars_are_limited(
    daemon: Daemon, me: str
) -> None:
    wanted = CALL | {"component": me, "model": "nobody-knows-1"}
    free = made(daemon.post("/reservations", wanted))
    assert free["estimated"]
    limit(daemon, me, limit={"usd": "100"})

    refused(daemon.post("/reservations", wanted), 422, "unpriced")
    made(daemon.post("/reservations", wanted | {"usd": "0.50"}))
    limit(daemon, me, limit={"usd": "100"}, unpriced="envelope")
    held = made(daemon.post("/reservations", wanted))
    assert held["estimated"]
    assert held["held"]["usd"] > "0.003000000"


def test_a_check_answers_without_holding(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"usd": "0.004"})
    wanted = CALL | {"component": me}

    checked = made(daemon.post("/check", wanted), 200)
    assert checked["allowed"]
    assert checked["outcome"] == "allowed"
    assert checked["would_hold"] == {"usd": "0.003000000", "tokens": 1_400, "calls": 1}
    assert checked["denial"] is None
    assert daemon.get(f"/balances?policy={me}").body["items"] == []

    reserve(daemon, me)
    checked = made(daemon.post("/check", wanted), 200)
    assert (checked["allowed"], checked["outcome"]) == (False, "denied")
    assert checked["denial"]["policy"] == me
    denial = refused(daemon.post("/reservations", wanted), 402, "denied")
    assert checked["denial"] == denial


def test_an_explanation_names_every_policy_and_the_smallest_change(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"usd": "0.0020"})
    elsewhere = {"name": f"{me}-2"[-128:], "match": {"component": f"{me}-other"[-128:]}}
    limit(daemon, me, limit={"calls": 1}, **elsewhere)

    told = made(daemon.post("/explain", CALL | {"component": me}), 200)
    considered = {one["policy"]: one for one in told["considered"]}
    assert told["outcome"] == "denied"
    assert told["price_version"] == PRICE
    assert (considered[me]["matched"], considered[me]["verdict"]) == (True, "denies")
    assert considered[me]["standings"][0]["left"] == "0.002000000"
    assert not considered[elsewhere["name"]]["matched"]
    assert "component" in considered[elsewhere["name"]]["why_not"]
    assert told["smallest_change"] == "ask for at most 200 output tokens"


def test_a_quote_shows_every_digit(daemon: Daemon) -> None:
    usage = {"input": 1, "cache_read": 3, "output": 7, "web_search": 1}
    body = {"model": "gpt-5", "usage": usage, "mode": "flex"}

    assert made(daemon.post("/prices/quote", body), 200) == {
        "cost_usd": "0.010035812", "cost_exact_usd": "0.0100358125",
        "price_version": Like(r"openai/gpt-5@\d{4}-\d\d-\d\d"), "estimated": False,
        "lines": [
            {
                "kind": "cache_read", "count": 3,
                "rate_usd_per_million": "0.0625", "usd": "0.0000001875",
            },
            {"kind": "input", "count": 1, "rate_usd_per_million": "0.625", "usd": "0.000000625"},
            {"kind": "output", "count": 7, "rate_usd_per_million": "5", "usd": "0.000035"},
            {"kind": "web_search", "count": 1, "rate_usd_per_unit": "0.01", "usd": "0.01"},
        ],
    }  # fmt: skip
    unknown = body | {"model": "nobody-knows-1"}
    refused(daemon.post("/prices/quote", unknown), 422, "unpriced")


def test_a_thousand_operations_in_one_request_each_have_their_own_outcome(
    daemon: Daemon, me: str
) -> None:
    limit(daemon, me, limit={"calls": 500})
    held = [reserve(daemon, me)["reservation_id"] for _ in range(2)]
    call = CALL | {"component": me}
    usage = {"component": me, "model": "claude-haiku-4-5", "usage": USAGE}
    operations: list[dict[str, Any]] = [
        {"operation": "settle", "body": {"reservation_id": held[0], "usage": USAGE}},
        {"operation": "release", "body": {"reservation_id": held[1]}},
        {"operation": "settle", "body": {"reservation_id": f"rsv_{'0' * 32}", "usage": USAGE}},
        {"operation": "reserve", "body": call | {"input_tokens": -1}},
        {"operation": "fly", "body": {}},
        {"operation": "check", "body": call},
        *({"operation": "record", "body": usage} for _ in range(100)),
        *({"operation": "reserve", "body": call} for _ in range(894)),
    ]

    results = made(daemon.post("/batch", {"operations": operations}), 200)["results"]

    statuses = [result["status"] for result in results]
    assert statuses[:6] == [200, 200, 404, 422, 422, 200]
    assert statuses[6:106] == [201] * 100
    assert results[0]["body"]["kind"] == "settled"
    assert results[3]["body"]["code"] == "invalid"
    admitted = statuses[106:].count(201)
    assert admitted + statuses[106:].count(402) == 894
    figures = balance(daemon, me)
    assert (figures["used"], figures["held"]) == (101, admitted)
    assert figures["left"] == 500 - 101 - admitted == 0
    refused(daemon.post("/batch", {"operations": [*operations, operations[0]]}), 422, "invalid")


def test_the_same_key_in_a_batch_has_one_effect(daemon: Daemon, me: str) -> None:
    reserve_once = {
        "operation": "reserve", "body": CALL | {"component": me}, "idempotency_key": "once",
    }  # fmt: skip

    results = made(daemon.post("/batch", {"operations": [reserve_once] * 20}), 200)["results"]

    assert {result["status"] for result in results} == {201}
    assert len({result["body"]["reservation_id"] for result in results}) == 1


def test_an_allocation_is_drawn_from_until_it_is_spent(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"tokens": 10_000, "calls": 100})
    allocation = made(
        daemon.post(
            "/allocations",
            {"component": me, "context_id": "session-1", "model": CALL["model"], "tokens": 5_000},
        )
    )
    assert allocation == {
        "allocation_id": ALLOCATION, "status": "held", "outcome": "allowed",
        "component": me, "context_id": "session-1", "tier": "local_midweight",
        "task_type": "default", "priority": 5,
        "held": {"usd": "0.000000000", "tokens": 5_000, "calls": 0}, "covers": ["tokens"],
        "expires_at": INSTANT, "warnings": [], "policies": allocation["policies"],
    }  # fmt: skip
    name = allocation["allocation_id"]

    draws = [reserve(daemon, me, allocation_id=name) for _ in range(3)]
    problem = refused(
        daemon.post("/reservations", CALL | {"component": me, "allocation_id": name}), 402, "denied"
    )
    assert problem["policy"] == f"allocation:{name}"
    assert (problem["axis"], problem["left"]) == ("tokens", 800)

    made(settle(daemon, draws[0]), 200)  # 900 of 1,400
    made(release(daemon, draws[1]), 200)
    assert left_of(daemon, name) == 800 + 500 + 1_400
    usage = {"component": me, "model": CALL["model"], "usage": USAGE, "allocation_id": name}
    made(daemon.post("/usage", usage))
    assert left_of(daemon, name) == 1_800
    made(settle(daemon, draws[2], {"input_tokens": 1_400, "output_tokens": 1_000}), 200)
    assert left_of(daemon, name) == 800

    figures = {row["axis"]: row for row in daemon.get(f"/balances?policy={me}").body["items"]}
    assert (figures["tokens"]["used"], figures["tokens"]["held"]) == (4_200, 800)
    assert (figures["calls"]["used"], figures["calls"]["held"]) == (3, 0)


def left_of(daemon: Daemon, allocation: str) -> int:
    left: int = daemon.get(f"/allocations/{allocation}").body["held"]["tokens"]
    return left


def test_an_allocation_grows_is_listed_and_given_back(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"tokens": 10_000})
    body = {"component": me, "context_id": "session-1", "task_type": "chat", "priority": 8}
    name = made(daemon.post("/allocations", body))["allocation_id"]
    assert left_of(daemon, name) == 8_000

    made(daemon.post(f"/allocations/{name}/extend", {"tokens": 2_000}), 200)
    assert left_of(daemon, name) == 10_000
    refused(daemon.post(f"/allocations/{name}/extend", {"tokens": 1}), 402, "denied")
    listed = daemon.get(f"/allocations?component={me}&status=held").body["items"]
    assert [row["id"] for row in listed] == [name]

    made(daemon.post(f"/allocations/{name}/release", {}), 200)
    assert balance(daemon, me) == {"used": 0, "held": 0, "left": 10_000}
    call = CALL | {"component": me, "allocation_id": name}
    refused(daemon.post("/reservations", call), 409, "hold-ended")
    refused(daemon.post(f"/allocations/{name}/release", {}), 409, "hold-ended")
