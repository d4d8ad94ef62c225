"""Tekton's words for budgets, policies, allocations, usage and prices, over the real daemon."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from daemon.journal.verify import verify
from tests.daemon_process import Answer, Daemon, running

CONFIG = """
[[token]]
name = "viewer"
role = "read"

[[token]]
name = "apollo"
role = "report"
components = ["apollo"]
"""
CALL = {
    "component": "apollo", "provider": "openai", "model": "gpt-4o", "context_id": "task-1",
    "task_type": "chat", "input_tokens": 1000, "output_tokens": 100,
}  # fmt: skip
COST = 0.0035
"""Of that call: 2.50 and 10.00 dollars a million."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("home"), CONFIG) as started:
        yield started
        assert started.stop() == 0
        assert verify(started.data_dir).problems == []


def put(daemon: Daemon, path: str, body: object) -> Answer:
    return daemon.call("PUT", f"/api/v1{path}", body)


def made(daemon: Daemon, path: str, **body: object) -> Any:
    answer = daemon.post(path, body)
    assert answer.status == 201, answer.body
    return answer.body


def test_a_budget_is_made_listed_and_changed_in_tektons_words(daemon: Daemon) -> None:
    budget = made(daemon, "/budgets", name="lab", description="for trying", owner="ada")

    assert budget.keys() == {
        "budget_id", "name", "description", "owner", "policies", "created_at", "updated_at",
        "is_active", "metadata",
    }  # fmt: skip
    assert budget["budget_id"] == "lab"
    listed = daemon.get("/budgets").body["items"]
    assert [one["budget_id"] for one in listed if one["name"] == "lab"] == ["lab"]
    assert put(daemon, "/budgets/lab", {"owner": "bob"}).body["owner"] == "bob"
    assert daemon.get("/budgets/lab").body["description"] == "for trying"
    assert daemon.get("/budgets/nobody").status == 404


def test_a_budget_is_removed_once_it_has_no_policies(daemon: Daemon) -> None:
    made(daemon, "/budgets", name="gone", owner="ada")
    policy = made(daemon, "/policies", budget_id="gone", type="warn", period="daily", cost_limit=1)
    refused = daemon.delete("/budgets/gone")
    assert (refused.status, refused.body["code"]) == (409, "in-use")
    assert refused.body["policies"] == [policy["policy_id"]]
    assert policy["policy_id"] in refused.body["detail"]

    assert daemon.delete(f"/policies/{policy['policy_id']}").status == 200
    removed = daemon.delete("/budgets/gone?why=over")
    assert (removed.status, removed.body["budget_id"]) == (200, "gone")
    assert daemon.get("/budgets/gone").status == daemon.delete("/budgets/gone").status == 404
    (entry,) = daemon.get("/entries?kind=budget_removed").body["items"]
    assert entry["entry_id"] == removed.body["entry_id"]
    assert entry["body"] == {
        "before": {"owner": "ada", "note": None}, "by": "admin", "why": "over",
        "via": entry["body"]["via"],
    }  # fmt: skip
    (event,) = daemon.get("/outbox?type=budget.removed").body["items"]
    assert event["subject"] == "gone"


@pytest.mark.parametrize("camel", [False, True])
def test_a_policy_is_understood_in_either_case(daemon: Daemon, camel: bool) -> None:  # noqa: FBT001
    body: dict[str, object] = {
        "budget_id": "both", "type": "soft_limit", "period": "weekly", "task_type": "coding",
        "cost_limit": 12.5, "token_limit": 1000, "warning_threshold": 0.5,
    }  # fmt: skip
    if camel:
        body = {
            "budgetId": "both", "type": "soft_limit", "period": "weekly", "taskType": "coding",
            "costLimit": 12.5, "tokenLimit": 1000, "warningThreshold": 0.5,
        }  # fmt: skip
    policy = made(daemon, "/policies", **body)

    assert (policy["type"], policy["cost_limit"], policy["token_limit"]) == (
        "soft_limit", 12.5, 1000,
    )  # fmt: skip
    assert (policy["warning_threshold"], policy["action_threshold"]) == (0.5, 0.95)
    ours = daemon.get(f"/policies/{policy['policy_id']}").body["policy"]
    assert (ours["enforce"], ours["budget"]) == ("soft", "both")
    assert ours["limit"]["usd"] == "12.500000000"
    assert ours["match"]["task_type"] == "coding"


def test_a_policy_is_changed_and_keeps_what_was_not_named(daemon: Daemon) -> None:
    policy = made(
        daemon, "/policies", type="warn", period="daily", provider="openai", cost_limit="1.10"
    )
    changed = put(
        daemon, f"/policies/{policy['policy_id']}", {"type": "hard_limit", "costLimit": 2}
    )

    assert changed.status == 200
    assert (changed.body["type"], changed.body["cost_limit"]) == ("hard_limit", 2.0)
    assert changed.body["provider"] == "openai"
    assert changed.body["warning_threshold"] == 0.8
    assert daemon.delete(f"/policies/{policy['policy_id']}").status == 200


def test_the_page_finds_spent_and_limit_as_numbers(daemon: Daemon) -> None:
    made(daemon, "/policies", budget_id="page", type="warn", period="daily", token_limit=10**6,
         component="painter")  # fmt: skip
    made(daemon, "/policies", budget_id="page", type="warn", period="daily", cost_limit=5.0,
         component="painter")  # fmt: skip
    made(daemon, "/usage/record", **{**CALL, "component": "painter"})

    daily = daemon.get("/budgets/page/summary?period=daily").body
    assert (daily[0]["spent"], daily[0]["limit"]) == (COST, 5.0)
    assert daily[0]["cost_usage_percentage"] == pytest.approx(COST / 5)
    assert (daily[1]["total_tokens_used"], daily[1]["token_limit"]) == (1100, 10**6)
    assert all(isinstance(row["limit"], float) for row in daily)
    monthly = daemon.get("/budgets/page/summary?period=monthly").body
    assert (monthly[0]["spent"], monthly[0]["limit"]) == (COST, 0.0), "counted, not limited"
    assert len(daemon.get("/budgets/page/policies").body["items"]) == 2
    assert daemon.get("/budgets/page/summary?period=yearly").status == 400


def test_usage_is_recorded_found_and_added_up(daemon: Daemon) -> None:
    first = made(daemon, "/usage/record", **{**CALL, "component": "scribe", "requestId": "r-1"})
    made(daemon, "/usage/record", **{**CALL, "component": "scribe", "model": "gpt-4o-mini"})

    assert first["total_cost"] == COST
    page = daemon.get("/usage/records?component=scribe&limit=20").body
    assert [one["model"] for one in page["items"]] == ["gpt-4o-mini", "gpt-4o"], "newest first"
    shown = daemon.get(f"/usage/records/{first['record_id']}").body
    assert (shown["cost"], shown["total_tokens"], shown["request_id"]) == (COST, 1100, "r-1")
    assert shown["timestamp"].endswith("Z")
    second = daemon.get("/usage/records?component=scribe&limit=1&page=2").body
    assert [one["record_id"] for one in second["items"]] == [first["record_id"]]
    mini = daemon.get("/usage/records?component=scribe&model=gpt-4o-mini").body
    assert len(mini["items"]) == 1
    assert daemon.get("/usage/records/ent_9999999999999999").status == 404

    summed = daemon.post("/usage/summary", {"period": "daily", "component": "scribe"}).body
    assert (summed["count"], summed["total_input_tokens"]) == (2, 2000)
    assert summed["groups"]["model"]["gpt-4o"]["cost"] == COST
    assert summed["groups"]["component"]["scribe"]["total_tokens"] == 2200


def test_a_record_that_is_sent_twice_with_its_key_is_booked_once(daemon: Daemon) -> None:
    body = {**CALL, "component": "twice"}
    answers = [daemon.post("/usage/record", body, key="one") for _ in range(2)]

    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].body["record_id"] == answers[1].body["record_id"]
    assert len(daemon.get("/usage/records?component=twice").body["items"]) == 1


def test_an_allocation_of_tekton_is_one_of_ours(daemon: Daemon) -> None:
    allocation = made(
        daemon, "/allocations", contextId="ctx-7", component="apollo", tokensAllocated=4000,
        taskType="chat", tier="remote_heavyweight", metadata={"why": "a test"},
    )  # fmt: skip
    assert (allocation["tokens_allocated"], allocation["remaining_tokens"]) == (4000, 4000)
    assert allocation["is_active"] is True

    made(daemon, "/usage/record", **CALL, allocation_id=allocation["allocation_id"])
    (open_now,) = daemon.get("/allocations/context/ctx-7").body
    assert (open_now["tokens_used"], open_now["remaining_tokens"]) == (1100, 2900)
    assert open_now["actual_cost"] == COST
    assert open_now["metadata"] == {"why": "a test", "tier": "remote_heavyweight"}
    released = daemon.post(f"/allocations/{allocation['allocation_id']}/release", {})
    assert released.status == 200
    assert daemon.get("/allocations/context/ctx-7").body == []


def test_a_budget_knows_the_allocations_it_counts(daemon: Daemon) -> None:
    made(daemon, "/policies", budget_id="mine", type="warn", period="daily", token_limit=10**6,
         component="miner")  # fmt: skip
    assert daemon.get("/budgets/mine/allocations").body["items"] == []
    first, second, _ = (
        made(daemon, "/allocations", context_id="ctx", component=component, tokens_allocated=10)
        for component in ("miner", "miner", "other")
    )

    told = daemon.get("/budgets/mine/allocations").body
    names = [first["allocation_id"], second["allocation_id"]]
    assert ([one["allocation_id"] for one in told["items"]], told["total"]) == (names, 2)
    daemon.post(f"/allocations/{names[0]}/release", {})
    for active, left in ((True, names[1:]), (False, names[:1])):
        path = f"/budgets/mine/allocations?is_active={str(active).lower()}"
        items = daemon.get(path).body["items"]
        assert [(one["allocation_id"], one["is_active"]) for one in items] == [(left[0], active)]
    assert [one["id"] for one in daemon.get("/allocations?budget=mine").body["items"]] == names
    assert daemon.get("/budgets/nobody/allocations").status == 404


@pytest.mark.parametrize(
    ("asked", "starts", "ends"),
    [
        ({"start_time": "2026-01-05T09:07:30Z", "end_time": "2026-01-05T10:01:00Z"},
         "2026-01-05T09:00:00.000Z", "2026-01-05T10:15:00.000Z"),
        ({"startTime": "2026-01-05T09:15:00", "endTime": "2026-01-05T09:30:00"},
         "2026-01-05T09:15:00.000Z", "2026-01-05T09:30:00.000Z"),
        ({"start_time": "2026-01-05T09:07:00.123456+05:45", "end_time": "2026-01-05T03:22:01Z"},
         "2026-01-05T03:15:00.000Z", "2026-01-05T03:30:00.000Z"),
        ({"period": "weekly", "end_time": "2026-01-08T12:01:00Z"},
         "2026-01-05T00:00:00.000Z", "2026-01-08T12:15:00.000Z"),
        ({"period": "hourly", "end_time": "2026-01-08T12:00:00Z"},
         "2026-01-08T11:00:00.000Z", "2026-01-08T12:00:00.000Z"),
    ],
)  # fmt: skip
def test_a_sum_is_of_whole_quarters_and_says_of_which(
    daemon: Daemon, asked: dict[str, str], starts: str, ends: str
) -> None:
    told = daemon.post("/usage/summary", asked)

    assert told.status == 200
    assert (told.body["start_time"], told.body["end_time"]) == (starts, ends)


def test_the_sum_of_a_few_minutes_has_what_was_booked_in_them(daemon: Daemon) -> None:
    record = made(daemon, "/usage/record", **{**CALL, "component": "minutes"})
    at = datetime.fromisoformat(record["timestamp"])
    told = daemon.post("/usage/summary", {
        "component": "minutes", "start_time": (at - timedelta(seconds=1)).isoformat(),
        "end_time": (at + timedelta(seconds=1)).isoformat(),
    })  # fmt: skip
    assert (told.body["count"], told.body["total_cost"]) == (1, COST)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"start_time": "2026-01-05T10:00:00Z", "end_time": "2026-01-05T10:00:00Z"}, "end_time"),
        ({"start_time": "0001-01-01T00:00:00Z"}, "start_time"),
        ({"end_time": "9999-12-31T23:59:59Z"}, "end_time"),
    ],
)
def test_times_that_make_no_sense_are_named(
    daemon: Daemon, asked: dict[str, str], field: str
) -> None:
    told = daemon.post("/usage/summary", asked)

    assert told.status == 422
    assert [one["field"] for one in told.body["errors"]] == [field]


def test_prices_are_dollars_a_token(daemon: Daemon) -> None:
    model = {"provider": "openai", "model": "gpt-4o"}
    price = daemon.post("/prices/current", model).body

    assert price["input_cost_per_token"] == 2.5e-06
    assert price["output_cost_per_token"] == 1e-05
    assert daemon.get("/prices/history/openai/gpt-4o").body[0]["pricing_id"] == price["pricing_id"]
    unknown = daemon.post("/prices/current", {**model, "model": "nobody-1"})
    assert (unknown.status, unknown.body["code"]) == (422, "unpriced")


def test_cheaper_models_are_recommended_and_nothing_is_held(daemon: Daemon) -> None:
    asked = {"provider": "openai", "model": "gpt-4o", "contextSize": 4000}
    told = daemon.post("/prices/recommendations", asked).body

    assert told["current_cost"] == pytest.approx(0.0325)
    costs = [one["estimated_cost"] for one in told["items"]]
    assert costs
    assert costs == sorted(costs)
    for one in told["items"]:
        assert one["savings"] == pytest.approx(told["current_cost"] - one["estimated_cost"])
        assert 0 < one["savings_percent"] <= 100
    assert daemon.get("/reservations?status=held").body["items"] == []


def test_lists_are_asked_for_in_tektons_words(daemon: Daemon) -> None:
    made(daemon, "/budgets", name="eve-1", owner="eve")
    made(daemon, "/policies", budget_id="eve-1", type="warn", period="hourly", cost_limit=0.001,
         component="spender")  # fmt: skip
    hourly = daemon.get("/policies?period=hourly&component=spender").body

    assert [one["budget_id"] for one in daemon.get("/budgets?owner=eve").body["items"]] == ["eve-1"]
    assert [one["cost_limit"] for one in hourly["items"]] == [0.001]
    assert daemon.get("/policies?enabled=true&period=monthly&component=spender").body["total"] == 0
    assert daemon.get("/policies?enabled=false").status == 422


def test_an_alert_is_found_and_acknowledged_in_tektons_words(daemon: Daemon) -> None:
    made(daemon, "/policies", budget_id="alarm", type="warn", period="daily", cost_limit=0.001,
         component="alarming")  # fmt: skip
    made(daemon, "/usage/record", **{**CALL, "component": "alarming"})
    daemon.until("/alerts?budget_id=alarm&acknowledged=false", lambda body: body["items"])
    alert = daemon.get("/alerts?budgetId=alarm&acknowledged=false").body["items"][0]

    assert alert["policy_id"].startswith("alarm-daily-")
    assert alert["acknowledged"] is False
    assert alert["severity"] in ("info", "warning", "error")
    open_now = daemon.post("/alerts/check", {"budget_id": "alarm"}).body["items"]
    assert alert["alert_id"] in [one["alert_id"] for one in open_now]
    daemon.post(f"/alerts/{alert['alert_id']}/acknowledge", {})
    after = daemon.until("/alerts?budget_id=alarm&acknowledged=true", lambda body: body["items"])[
        "items"
    ]
    assert (after[0]["alert_id"], after[0]["acknowledged_by"]) == (alert["alert_id"], "admin")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/budgets", {"name": "x", "metadata": {"colour": "red"}}, "metadata"),
        ("/policies", {"type": "warn", "period": "daily", "cost_limit": 1, "enabled": False},
         "enabled"),
        ("/policies", {"type": "loud", "period": "daily", "cost_limit": 1}, "type"),
        ("/policies", {"type": "warn", "period": "daily", "cost_limit": "1e-12"}, "limit.usd"),
        ("/usage/record", {**CALL, "inputTokens": -1}, "inputTokens"),
        ("/usage/record", {**CALL, "colour": "red"}, "colour"),
        ("/allocations", {"component": "a", "context_id": "c", "tokens": -5}, "tokens"),
    ],
)  # fmt: skip
def test_what_would_be_lost_or_is_wrong_is_named(
    daemon: Daemon, path: str, body: object, field: str
) -> None:
    answer = daemon.post(path, body)

    assert (answer.status, answer.body["code"]) == (422, "invalid")
    assert field in [error["field"] for error in answer.body["errors"]]


def test_tektons_words_give_nobody_more_than_their_token(daemon: Daemon) -> None:
    viewer, apollo = daemon.token_of("viewer"), daemon.token_of("apollo")
    policy = {"type": "warn", "period": "daily", "cost_limit": 1}

    assert daemon.post("/policies", policy, token=apollo).status == 403
    assert daemon.post("/usage/record", CALL, token=viewer).status == 403
    assert daemon.post("/usage/record", {**CALL, "component": "rhetor"}, token=apollo).status == 403
    assert daemon.post("/usage/record", CALL, token=apollo).status == 201
    assert daemon.get("/usage/records", token=apollo).status == 403, "it may not look at all"
    assert daemon.get("/usage/records?component=apollo", token=apollo).status == 200
    assert daemon.get("/usage/records", token="tkb_nobody").status == 401
