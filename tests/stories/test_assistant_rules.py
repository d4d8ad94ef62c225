"""Without a model the same question is answered by rules over the same queries, and says so."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.daemon_process import Daemon, running
from tests.stories.conftest import CONFIG
from tests.stories.words import limit, made

HEAVY = "claude-opus-4-5"
SCOPED = """
[[token]]
name = "apollo"
role = "report"
components = ["apollo"]
"""


@pytest.fixture(scope="module")
def scoped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("scoped"), CONFIG + SCOPED) as started:
        yield started


def ask(daemon: Daemon, question: str) -> Any:
    return made_or_ok(daemon.post("/assistant/ask", {"question": question}))


def made_or_ok(answer: Any) -> Any:
    assert answer.status in (200, 201), answer.body
    return answer.body


def book(daemon: Daemon, me: str, times: int, **usage: int) -> None:
    call = {"component": me, "model": HEAVY, "task_type": "sort-mail", "usage": usage}
    operations = [{"operation": "record", "body": call} for _ in range(times)]
    daemon.post("/batch", {"operations": operations})


def test_the_rules_find_what_is_spent_missed_oversized_refused_and_unused(
    daemon: Daemon, me: str
) -> None:
    limit(daemon, me, limit={"usd": "0.000001"})
    book(daemon, me, 25, input_tokens=4_000, output_tokens=20)
    daemon.post("/reservations", {"component": me, "model": HEAVY, "input_tokens": 9_000})
    idle = made(daemon.post("/allocations", {"component": "idle", "context_id": me, "tokens": 500}))

    answer = ask(daemon, "what was wasted today?")

    assert (answer["source"], answer["detail"]) == ("rules", "no model is configured")
    assert (answer["cost_usd"], answer["tokens"]) == ("0.000000000", 0)
    head, *findings = answer["text"].splitlines()
    assert head == "By rules, without a language model. Time: today."
    # 25 calls of 4,000 and 20 tokens at 5 and 25 dollars a million
    assert f"- {me} / {HEAVY} cost 0.5125 USD in 25 calls [1]" in findings
    assert any("reads 4000 tokens a call and nothing from a cache" in line for line in findings)
    assert any("writes 20 tokens a call" in line and "smaller model" in line for line in findings)
    assert f"- {me} refused 1 calls [4]" in findings
    assert any(idle["allocation_id"] in line and "never used" in line for line in findings)
    assert [query["number"] for query in answer["queries"]] == [1, 2, 3, 4, 5, 6]
    assert answer["unproven"] == []


def test_every_figure_of_the_rules_stands_in_the_query_it_names(daemon: Daemon, me: str) -> None:
    book(daemon, me, 21, input_tokens=2_000, output_tokens=10)
    answer = ask(daemon, "today")
    first = answer["queries"][0]
    report = daemon.post("/reports", first["fields"]).body
    assert f"in {report['total']['calls']} calls" in answer["text"]
    costs = {row["group"]["component"]: row["figures"]["calls"] for row in report["items"]}
    assert costs[me] == 21
    assert ask(daemon, "today")["text"] == answer["text"]


def test_who_may_see_one_component_hears_of_that_one(scoped: Daemon) -> None:
    book(scoped, "apollo", 3, input_tokens=100, output_tokens=10)
    book(scoped, "rhetor", 2, input_tokens=100, output_tokens=10)
    question, token = {"question": "today"}, scoped.token_of("apollo")
    answer = scoped.call("POST", "/api/v1/assistant/ask", question, token=token).body
    assert answer["text"].startswith(
        "By rules, without a language model. Time: today. Component: apollo."
    )
    assert "in 3 calls" in answer["text"]
    assert "rhetor" not in answer["text"]
    assert [query["refused"] for query in answer["queries"]] == [None] * 6


def test_models_for_a_described_work_come_cheapest_first_and_within_the_sum(
    daemon: Daemon, me: str
) -> None:
    work = {"component": me, "input_tokens": 1_000, "output_tokens": 200, "calls_per_day": 100,
            "provider": "anthropic", "model": HEAVY}  # fmt: skip
    found = made_or_ok(daemon.post("/recommend", work))
    # (1,000 x 5 + 200 x 25) / 1,000,000 dollars, 3,000 times
    assert found["now_usd_per_month"] == "30.000000000"
    costs = [row["usd_per_month"] for row in found["items"]]
    assert costs == sorted(costs, key=float)
    for row in found["items"]:
        assert float(row["usd_per_month"]) == pytest.approx(3_000 * float(row["usd_per_call"]))
    tight = made_or_ok(daemon.post("/recommend", work | {"max_usd_per_month": "0.000001"}))
    assert {row["usd_per_month"] for row in tight["items"]} <= {"0.000000000"}
    assert tight["dearer"] == found["fitting"] - len(tight["items"])

    workload = {"task_description": "sort mail", "input_length": 1_000, "output_length": 200,
                "usage_frequency": 100, "budget_limit": "30.00"}  # fmt: skip
    told = made_or_ok(daemon.post("/assistant/recommend-model", workload))["recommendations"]
    assert f"{found['items'][0]['provider']} / {found['items'][0]['model']}: " in told
    assert told.startswith("By rules, without a language model.")
