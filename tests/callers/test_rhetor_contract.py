"""Rhetor's budget manager: what its callers can see, over the real daemon.

Written from the measured shapes of the original. What is meant to differ says so in its name; the
list of those differences is in docs/migrating.md.
"""

import inspect
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tekton_budget import BudgetClient
from tekton_budget.errors import Unpriced
from tekton_budget.rhetor import BudgetManager, BudgetPeriod, BudgetPolicy
from tests.daemon_process import Daemon, running

OPUS = ("anthropic", "claude-opus-4-5")
HAIKU = ("anthropic", "claude-haiku-4-5")
PERIODS = [period.value for period in BudgetPeriod]
TEXT = "hello world foo bar"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POLICY", "DAILY_LIMIT", "WEEKLY_LIMIT", "MONTHLY_LIMIT"):
        monkeypatch.delenv(f"RHETOR_BUDGET_{name}", raising=False)


@pytest.fixture
def manager(budget: BudgetClient) -> Iterator[BudgetManager]:
    yield BudgetManager(client=budget, zone="UTC")
    for shown in budget.policies():
        budget.remove_policy(shown.policy["name"])


SIGNATURES = {
    "count_tokens": "text model='gpt-3.5-turbo'",
    "calculate_cost": "provider model input_text output_text",
    "estimate_cost": "provider model input_text estimated_output_length=500",
    "record_usage": (
        "provider model component task_type input_tokens output_tokens cost metadata=None"
    ),
    "get_usage": "period='daily' provider=None start_date=None end_date=None",
    "get_current_usage_total": "period='daily' provider=None",
    "get_budget_limit": "period provider='all'",
    "set_budget_limit": "period limit_amount provider='all' enforcement=None",
    "get_enforcement_policy": "period provider='all'",
    "set_enforcement_policy": "period policy provider='all'",
    "check_budget": "provider model input_text component='unknown' task_type='default'",
    "record_completion": (
        "provider model input_text output_text component='unknown' task_type='default' "
        "metadata=None"
    ),
    "get_usage_summary": "period='daily' group_by='provider'",
    "get_budget_settings": "",
    "get_model_tiers": "",
    "find_cheaper_alternative": "provider model task_type='default'",
    "route_with_budget_awareness": (
        "input_text task_type default_provider default_model component='unknown'"
    ),
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_each_method_takes_what_the_original_takes(name: str) -> None:
    told = []
    for parameter in list(inspect.signature(getattr(BudgetManager, name)).parameters.values())[1:]:
        default = getattr(parameter.default, "value", parameter.default)
        told.append(
            parameter.name if default is parameter.empty else f"{parameter.name}={default!r}"
        )

    assert " ".join(told) == SIGNATURES[name]


def test_the_constructor_takes_what_the_original_takes() -> None:
    first = next(iter(inspect.signature(BudgetManager).parameters.values()))

    assert (first.name, first.default) == ("db_path", None)


def test_the_enumerations_have_rhetors_values() -> None:
    assert [one.value for one in BudgetPolicy] == ["ignore", "warn", "enforce"]
    assert PERIODS == ["daily", "weekly", "monthly"]


@pytest.mark.parametrize(("text", "tokens"), [("", 0), (TEXT, 5), ("x" * 4000, 1000)])
def test_differs_tokens_are_not_counted_twice(
    manager: BudgetManager, text: str, tokens: int
) -> None:
    """The original counts `hello world foo bar` as 8."""
    assert manager.count_tokens(text) == tokens


def test_a_cost_has_its_parts(manager: BudgetManager) -> None:
    cost = manager.calculate_cost("openai", "gpt-4o", TEXT, TEXT)

    assert set(cost) == {
        "input_tokens", "output_tokens", "input_cost", "output_cost", "total_cost",
    }  # fmt: skip
    assert cost["input_cost"] == pytest.approx(cost["input_tokens"] * 2.5e-6)
    assert cost["output_cost"] == pytest.approx(cost["output_tokens"] * 10e-6)
    assert cost["total_cost"] == pytest.approx(cost["input_cost"] + cost["output_cost"])


def test_an_estimate_is_of_500_characters(manager: BudgetManager) -> None:
    assert manager.estimate_cost("openai", "gpt-4o", TEXT)["output_tokens"] == 125


def test_differs_an_unknown_model_is_not_free(manager: BudgetManager) -> None:
    """The original says 0 and lets it pass every limit."""
    manager.set_budget_limit("daily", 5.0, enforcement="enforce")

    with pytest.raises(Unpriced):
        manager.calculate_cost("nobody", "no-such-model", TEXT, TEXT)
    allowed, told = manager.check_budget("nobody", "no-such-model", TEXT)
    assert not allowed
    assert told["reason"] == "No known price for nobody/no-such-model"


def test_a_completion_is_booked_and_told(manager: BudgetManager, daemon: Daemon) -> None:
    told = manager.record_completion("openai", "gpt-4o", TEXT, TEXT, "completer", "chat")

    assert set(told) == {
        "provider", "model", "component", "task_type", "timestamp", "input_tokens",
        "output_tokens", "input_cost", "output_cost", "total_cost",
    }  # fmt: skip
    assert datetime.fromisoformat(told["timestamp"]).tzinfo is None
    (entry,) = daemon.get("/entries?component=completer&kind=recorded").body["items"]
    assert entry["body"]["usd"] / 1e9 == pytest.approx(told["total_cost"])


@pytest.mark.parametrize("wrong", [(-1, 0, 0.0), (0, -1, 0.0), (0, 0, -0.1)])
def test_differs_negative_usage_is_an_error(
    manager: BudgetManager, wrong: tuple[int, int, float]
) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        manager.record_usage("openai", "gpt-4o", "c", "chat", *wrong)


def test_usage_comes_back_in_rows(manager: BudgetManager, daemon: Daemon) -> None:
    before = len(manager.get_usage())
    manager.record_usage("openai", "gpt-4o", "rows", "chat", 1000, 100, 0.01, {"a": 1})
    row = manager.get_usage()[-1]

    assert len(manager.get_usage()) == before + 1
    assert row | {"id": 0, "timestamp": ""} == {
        "id": 0, "timestamp": "", "provider": "openai", "model": "gpt-4o", "component": "rows",
        "task_type": "chat", "input_tokens": 1000, "output_tokens": 100, "cost": 0.0035,
        "metadata": {},
    }  # fmt: skip
    assert manager.get_usage("monthly", "anthropic") == [
        one for one in manager.get_usage("monthly") if one["provider"] == "anthropic"
    ]
    (entry,) = daemon.get("/entries?component=rows&kind=recorded").body["items"]
    assert entry["body"]["usage"]["reported_cost_usd"] == "0.01"


def test_rows_of_a_custom_period_are_those_between_its_ends(manager: BudgetManager) -> None:
    manager.record_usage("openai", "gpt-4o", "custom", "chat", 10, 1, 0.0)
    now = datetime.now()

    with pytest.raises(ValueError, match="start_date"):
        manager.get_usage("custom")
    around = manager.get_usage("custom", None, now - timedelta(minutes=5), now)
    assert around[-1]["component"] == "custom"
    assert manager.get_usage("custom", None, now + timedelta(minutes=5)) == []
    assert manager.get_usage("custom", None, "2020-01-01", "2020-01-02") == []


@pytest.mark.parametrize("period", PERIODS)
def test_the_total_of_a_period_is_the_sum_of_its_rows(manager: BudgetManager, period: str) -> None:
    manager.record_usage("openai", "gpt-4o", "total", "chat", 1000, 100, 0.0)
    rows = manager.get_usage(period)

    assert manager.get_current_usage_total(period) == pytest.approx(sum(r["cost"] for r in rows))
    openai = [row["cost"] for row in rows if row["provider"] == "openai"]
    assert manager.get_current_usage_total(period, "openai") == pytest.approx(sum(openai))
    assert manager.get_current_usage_total(period, "nobody") == 0.0


@pytest.mark.parametrize("group_by", ["provider", "model", "component", "task_type"])
def test_a_summary_is_grouped(manager: BudgetManager, group_by: str) -> None:
    manager.record_usage("openai", "gpt-4o", "grouped", "chat", 1000, 100, 0.0)
    told = manager.get_usage_summary("daily", group_by)

    assert set(told) == {
        "period", "total_cost", "total_input_tokens", "total_output_tokens", "total_tokens",
        "count", "groups",
    }  # fmt: skip
    assert told["total_tokens"] == told["total_input_tokens"] + told["total_output_tokens"]
    group = told["groups"][
        {"provider": "openai", "model": "gpt-4o", "component": "grouped", "task_type": "chat"}[
            group_by
        ]
    ]
    assert set(group) == {"cost", "input_tokens", "output_tokens", "count"}
    assert sum(one["count"] for one in told["groups"].values()) == told["count"]


def test_a_limit_is_set_and_found(manager: BudgetManager) -> None:
    assert manager.get_budget_limit("daily") == 0.0
    assert manager.set_budget_limit("daily", 12.5, "anthropic", "enforce") is True

    assert manager.get_budget_limit(BudgetPeriod.DAILY, "anthropic") == 12.5
    assert manager.get_enforcement_policy("daily", "anthropic") is BudgetPolicy.ENFORCE
    assert manager.get_enforcement_policy("weekly") is BudgetPolicy.WARN
    manager.set_budget_limit("daily", 0, "anthropic")
    assert manager.get_budget_limit("daily", "anthropic") == 0.0
    assert manager.check_budget(*OPUS, TEXT)[0]


def test_an_enforcement_can_be_set_before_there_is_a_limit(manager: BudgetManager) -> None:
    assert manager.set_enforcement_policy("weekly", "ignore", "openai") is True

    assert manager.get_enforcement_policy("weekly", "openai") is BudgetPolicy.IGNORE
    assert manager.get_budget_limit("weekly", "openai") == 0.0


def test_the_settings_are_rows_by_period(manager: BudgetManager) -> None:
    manager.set_budget_limit("monthly", 100.0, "all", BudgetPolicy.ENFORCE)
    settings = manager.get_budget_settings()

    assert list(settings) == PERIODS
    (row,) = settings["monthly"]
    assert set(row) == {"id", "provider", "limit_amount", "enforcement", "start_date"}
    assert (row["provider"], row["limit_amount"], row["enforcement"]) == ("all", 100.0, "enforce")


@pytest.mark.parametrize("amount", [-1.0, float("nan")])
def test_differs_a_limit_below_nothing_is_an_error(manager: BudgetManager, amount: float) -> None:
    """In the original it means unlimited."""
    with pytest.raises(ValueError, match="limit_amount"):
        manager.set_budget_limit("daily", amount)


def test_limits_of_the_environment_are_made_once(
    budget: BudgetClient, manager: BudgetManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RHETOR_BUDGET_WEEKLY_LIMIT", "7.5")
    monkeypatch.setenv("RHETOR_BUDGET_POLICY", "enforce")

    assert BudgetManager(client=budget).get_budget_limit("weekly") == 7.5
    manager.set_budget_limit("weekly", 9.0)
    again = BudgetManager(client=budget)
    assert again.get_budget_limit("weekly") == 9.0
    # in the original this raises AttributeError
    assert again.set_budget_limit("daily", 1.0)
    assert again.get_enforcement_policy("daily") is BudgetPolicy.ENFORCE


def test_a_free_model_is_allowed_and_says_so(manager: BudgetManager) -> None:
    manager.set_budget_limit("daily", 0.000001, enforcement="enforce")
    allowed, told = manager.check_budget("ollama", "llama3", TEXT)

    assert allowed
    assert set(told) == {"allowed", "reason", "cost_estimate"}
    assert told["reason"] == "Free model"


def test_what_is_allowed_comes_with_figures(manager: BudgetManager) -> None:
    allowed, told = manager.check_budget(*OPUS, TEXT)

    assert allowed
    assert set(told) == {
        "allowed", "warnings", "daily_usage", "weekly_usage", "monthly_usage", "daily_limit",
        "weekly_limit", "monthly_limit", "estimated_cost", "cost_estimate",
    }  # fmt: skip
    assert told["warnings"] == []


@pytest.mark.parametrize("period", PERIODS)
def test_what_would_pass_an_enforced_limit_is_refused_by_name(
    manager: BudgetManager, period: str
) -> None:
    manager.set_budget_limit(period, 0.001, "anthropic", "enforce")
    allowed, told = manager.check_budget(*OPUS, TEXT)

    assert not allowed
    assert set(told) == {
        "allowed", "reason", "limit", "usage", "estimated_cost", "policy", "cost_estimate",
    }  # fmt: skip
    assert told["reason"] == f"{period.capitalize()} budget limit exceeded"
    assert (told["limit"], told["policy"]) == (0.001, "enforce")
    assert manager.check_budget("openai", "gpt-4o", TEXT)[0]


@pytest.mark.parametrize("period", PERIODS)
def test_what_would_pass_a_limit_that_warns_is_allowed_with_rhetors_words(
    manager: BudgetManager, period: str
) -> None:
    manager.set_budget_limit(period, 0.001, "anthropic", "warn")
    usage = manager.get_current_usage_total(period, "anthropic")
    allowed, told = manager.check_budget(*OPUS, TEXT)

    assert allowed
    assert told["warnings"] == [
        f"{period.capitalize()} budget limit of $0.00 will be exceeded (current: ${usage:.2f})"
    ]
    assert told[f"{period}_limit"] == 0.001


def test_differs_a_limit_for_all_is_a_limit_for_each(manager: BudgetManager) -> None:
    """The original never looks at it."""
    manager.set_budget_limit("daily", 0.001, "all", "enforce")

    assert not manager.check_budget(*OPUS, TEXT)[0]


def test_other_policies_of_the_daemon_refuse_too(
    manager: BudgetManager, budget: BudgetClient
) -> None:
    budget.set_policy("house", {"calls": 0}, "daily", match={"component": "guest"})
    allowed, told = manager.check_budget(*OPUS, TEXT, component="guest")

    assert not allowed
    assert told["reason"] == "Budget limit of house exceeded"


def test_models_are_sorted_into_tiers_by_price(manager: BudgetManager) -> None:
    tiers = manager.get_model_tiers()

    assert list(tiers) == ["free", "low", "medium", "high"]
    assert [one["model"] for one in tiers["free"]] == ["llama3"]
    assert HAIKU[1] in [one["model"] for one in tiers["low"]]
    assert OPUS[1] in [one["model"] for one in tiers["medium"]]
    assert [one["model"] for one in tiers["high"]] == ["gpt-4"]
    for one in tiers["high"]:
        assert set(one) == {"provider", "model", "cost_per_1k_tokens"}


def test_the_cheaper_model_is_of_the_preferred_provider(manager: BudgetManager) -> None:
    assert manager.find_cheaper_alternative(*OPUS, "code") == HAIKU
    assert manager.find_cheaper_alternative(*OPUS, "chat") == ("openai", "gpt-3.5-turbo")
    assert manager.find_cheaper_alternative("ollama", "llama3") is None
    assert manager.find_cheaper_alternative("nobody", "no-such-model") is None


def test_a_call_within_its_budget_goes_where_it_was_meant_to_go(manager: BudgetManager) -> None:
    assert manager.route_with_budget_awareness(TEXT, "code", *OPUS) == (*OPUS, [])


def test_a_call_that_is_too_dear_goes_to_a_cheaper_model(manager: BudgetManager) -> None:
    manager.set_budget_limit("daily", 0.003, "anthropic", "enforce")

    assert manager.route_with_budget_awareness(TEXT, "code", *OPUS) == (
        *HAIKU,
        [f"Budget limit exceeded. Downgraded from {'/'.join(OPUS)} to {'/'.join(HAIKU)}"],
    )


def test_differs_each_cheaper_model_is_tried(manager: BudgetManager) -> None:
    """The original tries the first one only, then goes straight to a free model."""
    manager.set_budget_limit("daily", 0, "openai")
    manager.set_budget_limit("daily", 0.0000001, "anthropic", "enforce")

    provider, _, told = manager.route_with_budget_awareness(TEXT, "code", *OPUS)
    assert provider == "openai"
    assert told[0].startswith("Budget limit exceeded. Downgraded from anthropic/claude-opus")


def test_where_nothing_fits_a_free_model_is_used(manager: BudgetManager) -> None:
    manager.set_budget_limit("daily", 0.0000001, "all", "enforce")

    assert manager.route_with_budget_awareness(TEXT, "code", *OPUS) == (
        "ollama", "llama3", ["Budget limit exceeded. Using free model ollama/llama3"],
    )  # fmt: skip


def test_differs_a_call_without_a_model_is_not_called_free(manager: BudgetManager) -> None:
    assert manager.route_with_budget_awareness(TEXT, "code", None, None) == (
        None, None, ["No model is named: no budget was asked"],
    )  # fmt: skip


def test_without_a_free_model_the_cheapest_is_used(tmp_path: Path, queue: Path) -> None:
    with (
        running(tmp_path, "[prices]\nfree_providers = []\n") as daemon,
        BudgetClient(data_dir=daemon.data_dir, queue_dir=queue) as budget,
    ):
        manager = BudgetManager(client=budget)
        assert manager.get_usage_summary() == {
            "period": "daily", "total_cost": 0.0, "total_tokens": 0, "groups": {},
        }  # fmt: skip
        manager.set_budget_limit("daily", 0.0000001, "all", "enforce")
        routed = manager.route_with_budget_awareness(TEXT, "code", *OPUS)

    assert routed == (
        "openai", "gpt-3.5-turbo",
        ["Budget limit exceeded. Using cheapest model openai/gpt-3.5-turbo"],
    )  # fmt: skip


@pytest.mark.parametrize(("away", "allowed"), [("deny", False), ("allow", True), ("queue", True)])
def test_without_the_daemon_it_does_what_was_chosen(queue: Path, away: Any, allowed: bool) -> None:  # noqa: FBT001
    url = "http://127.0.0.1:1"
    with BudgetClient(url=url, token="x", when_away=away, queue_dir=queue, tries=1) as client:
        manager = BudgetManager(client=client)
        answer = manager.check_budget(*OPUS, TEXT)
        manager.record_completion(*OPUS, TEXT, TEXT)

    assert answer[0] is allowed
    assert answer[1]["allowed"] is allowed
    assert "away" in answer[1]["reason"]
    assert len(list(queue.glob("*.json"))) == (0 if away == "allow" else 1)
