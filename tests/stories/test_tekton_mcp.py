"""A Tekton component finds the tools under the names and in the envelope its own code uses."""

from typing import Any

import pytest

from tests.daemon_process import Answer, Daemon, running
from tests.stories.conftest import CONFIG
from tests.stories.words import ALLOCATION, limit

BRIDGE = "/api/mcp/v2"
VIEWER = """
[[token]]
name = "viewer"
role = "read"
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory):  # noqa: ANN201
    with running(tmp_path_factory.mktemp("home"), CONFIG + VIEWER) as started:
        yield started


def process(daemon: Daemon, tool: str, *, spelt: str = "tool_name", **arguments: Any) -> Answer:
    body = {spelt: tool, "arguments": arguments, "context": {}}
    return daemon.call("POST", f"{BRIDGE}/process", body)


def result(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200
    assert answer.body["success"], answer.body
    given: dict[str, Any] = answer.body["result"]
    return given


def test_the_tools_are_listed_with_their_schemas(daemon: Daemon) -> None:
    listed = daemon.call("GET", f"{BRIDGE}/tools").body
    assert listed["count"] == len(listed["tools"])
    names = {tool["name"] for tool in listed["tools"]}
    assert names == {
        "AllocateBudget", "CheckBudget", "RecordUsage", "GetBudgetStatus",
        "GetModelRecommendations", "RouteWithBudgetAwareness", "GetUsageAnalytics",
    }  # fmt: skip
    assert all(tool["schema"]["type"] == "object" for tool in listed["tools"])
    assert daemon.call("POST", f"{BRIDGE}/tools/list", {}).body == listed
    assert daemon.call("GET", "/mcp/tools").body == listed
    health = daemon.call("GET", f"{BRIDGE}/health", token="nobody")
    assert (health.status, health.body["status"]) == (200, "healthy")
    assert daemon.call("GET", f"{BRIDGE}/capabilities").body["count"] >= 1


def test_tokens_are_allocated_used_and_shown(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"tokens": 10_000}, period="daily")
    model = {"provider": "anthropic", "model": "claude-haiku-4-5"}
    made = result(
        process(daemon, "AllocateBudget", context_id="task-1", amount=4_000, component=me, **model)
    )
    assert made == {
        "allocation_id": ALLOCATION, "context_id": "task-1", "amount": 4_000, "remaining": 4_000,
        "tier": made["tier"], **model,
    }  # fmt: skip

    booked = result(
        process(
            daemon, "RecordUsage", spelt="toolName", component=me, context_id="task-1",
            allocation_id=made["allocation_id"], input_tokens=900, output_tokens=100, **model,
        )
    )  # fmt: skip
    assert (booked["recorded_tokens"], booked["remaining"]) == (1_000, 3_000)
    assert (booked["cost_usd"], booked["estimated"]) == ("0.001400000", False)

    shown = result(process(daemon, "GetBudgetStatus", period="daily", component=me))
    assert [(row["used"], row["held"]) for row in shown["items"]] == [(1_000, 3_000)]
    assert result(process(daemon, "GetBudgetStatus", period="weekly"))["items"] == []


def test_a_check_says_no_with_the_reason_and_texts_are_counted(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"usd": "0.001"})
    model = {"provider": "anthropic", "model": "claude-haiku-4-5", "component": me}
    checked = result(process(daemon, "CheckBudget", input_text="word " * 4_000, **model))
    assert (checked["allowed"], checked["info"]["denial"]["policy"]) == (False, me)
    booked = result(process(daemon, "RecordUsage", input_text="word " * 100, **model))
    assert booked["estimated"]
    assert booked["recorded_tokens"] > 100


def test_a_refusal_is_an_answer_with_the_problem_beside_it(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"tokens": 10})
    refused = process(daemon, "AllocateBudget", context_id="c", amount=50, component=me)
    assert (refused.status, refused.body["success"], refused.body["result"]) == (200, False, None)
    assert refused.body["metadata"]["problem"]["code"] == "denied"
    wrong = process(daemon, "AllocateBudget", context_id="c", amount="many", component=me)
    assert wrong.body["metadata"]["problem"]["errors"][0]["field"] == "amount"
    nameless = process(daemon, "CheckBudget", provider="openai", model="gpt-4o", component="")
    assert nameless.body["metadata"]["problem"]["errors"][0]["field"] == "component"


def test_what_concerns_the_caller_keeps_its_status(daemon: Daemon) -> None:
    assert process(daemon, "NoSuchTool").status == 404
    body = {"tool_name": "AllocateBudget", "arguments": {
        "context_id": "c", "amount": 5, "component": "apollo"}}  # fmt: skip
    viewer = daemon.token_of("viewer")
    assert daemon.call("POST", f"{BRIDGE}/process", body, token=viewer).status == 403
    assert daemon.call("POST", f"{BRIDGE}/tools/call", body, token="nobody").status == 401


def test_cheaper_models_are_recommended_with_what_they_save(daemon: Daemon) -> None:
    current = {"provider": "anthropic", "model": "claude-opus-4-5", "context_size": 4_000}
    advice = result(process(daemon, "GetModelRecommendations", **current))
    # 1,000 tokens in and 3,000 out at 5 and 25 dollars a million
    assert float(advice["current_cost"]) == 0.08
    assert advice["items"]
    assert all(item["savings_percent"] > 0 for item in advice["items"])
    costs = [float(item["estimated_cost"]) for item in advice["items"]]
    assert costs == sorted(costs)


def test_a_call_is_routed_to_what_the_budget_allows(daemon: Daemon, me: str) -> None:
    heavy = {"default_provider": "anthropic", "default_model": "claude-opus-4-5"}
    asked = {"input_text": "word " * 200, "component": me, **heavy}
    free = result(process(daemon, "RouteWithBudgetAwareness", **asked))
    assert (free["model"], free["is_downgraded"]) == ("claude-opus-4-5", False)
    limit(daemon, me, limit={"usd": "0.02"})
    tight = result(process(daemon, "RouteWithBudgetAwareness", **asked))
    assert tight["model"] != "claude-opus-4-5"


def test_what_was_spent_is_shown_by_each_part_of_a_call(daemon: Daemon, me: str) -> None:
    model = {"provider": "anthropic", "model": "claude-haiku-4-5", "component": me}
    for task in ("sort", "sort", "write"):
        result(process(daemon, "RecordUsage", task_type=task, input_tokens=900,
                       output_tokens=100, **model))  # fmt: skip
    spent = result(process(daemon, "GetUsageAnalytics", component=me))
    assert (spent["total_cost"], spent["total_tokens"], spent["count"]) == ("0.004200000", 3_000, 3)
    assert spent["groups"]["task_type"] == {
        "sort": {"input_tokens": 1_800, "output_tokens": 200, "total_tokens": 2_000,
                 "cost": "0.002800000", "count": 2},
        "write": {"input_tokens": 900, "output_tokens": 100, "total_tokens": 1_000,
                  "cost": "0.001400000", "count": 1},
    }  # fmt: skip
    assert list(spent["groups"]["component"]) == [me]
    wrong = process(daemon, "GetUsageAnalytics", start_date="yesterday").body
    assert wrong["metadata"]["problem"]["errors"][0]["field"] == "since"
