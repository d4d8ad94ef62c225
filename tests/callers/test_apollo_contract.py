"""Apollo's token budget manager: what its callers can see, over the real daemon.

Written from the measured shapes of the original. What is meant to differ says so in its name; the
list of those differences is in docs/migrating.md.
"""

import asyncio
import inspect
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tekton_budget import BudgetClient, Unavailable
from tekton_budget.apollo import (
    DEFAULT_ALLOCATIONS,
    DEFAULT_LIMITS,
    BudgetAllocation,
    BudgetPeriod,
    BudgetPolicy,
    BudgetPolicyType,
    BudgetTier,
    TaskPriority,
    TokenBudgetManager,
)
from tests.daemon_process import Daemon

pytestmark = pytest.mark.anyio
LIGHT, MID, HEAVY = BudgetTier
number = itertools.count()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "apollo"


@pytest.fixture
def manager(budget: BudgetClient, home: Path) -> Iterator[TokenBudgetManager]:
    """With no policies but those that a test makes."""
    home.mkdir()
    (home / "budget_policies.json").write_text("[]")
    found = TokenBudgetManager(str(home), client=budget, zone="UTC")
    yield found
    for policy_id in list(found._shelf.policies):
        found.delete_policy(policy_id)
    for allocation in found.allocations.values():
        found._desk.close(allocation)


@pytest.fixture
def component() -> str:
    return f"component-{next(number)}"


def policy(component: str | None = None, **told: Any) -> BudgetPolicy:
    usual = {"type": "hard_limit", "period": "daily", "tier": HEAVY, "limit": 5000}
    return BudgetPolicy(**usual | {"component": component} | told)


SIGNATURES = {
    "allocate_budget": (
        "context_id component task_type='default' provider=None model=None priority=5 "
        "token_count=None expiration=None metadata=None"
    ),
    "record_usage": "context_id tokens usage_type='total' operation_id=None metadata=None",
    "get_allocation": "context_id",
    "update_allocation": "context_id additional_tokens=None extend_expiration=None is_active=None",
    "get_budget_summary": "tier=None period='daily' component=None task_type=None",
    "register_callback": "event_type callback",
    "add_policy": "policy",
    "get_policy": "policy_id",
    "update_policy": "policy_id",
    "delete_policy": "policy_id",
    "get_model_tier": "model",
    "set_model_tier": "model tier",
    "get_provider_tier": "provider",
    "set_provider_tier": "provider tier",
    "get_component_tier": "component",
    "set_component_tier": "component tier",
    "start": "",
    "stop": "",
}
COROUTINES = {"start", "stop", "allocate_budget"}


@pytest.mark.parametrize("name", SIGNATURES)
def test_each_method_takes_what_the_original_takes(name: str) -> None:
    function = getattr(TokenBudgetManager, name)
    told = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            default = getattr(parameter.default, "value", parameter.default)
            left_out = default is parameter.empty
            told.append(parameter.name if left_out else f"{parameter.name}={default!r}")

    assert " ".join(told) == SIGNATURES[name]
    assert inspect.iscoroutinefunction(function) == (name in COROUTINES)


def test_the_constructor_takes_what_the_original_takes() -> None:
    parameters = inspect.signature(TokenBudgetManager).parameters

    assert [
        (p.name, p.default) for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD
    ] == [("data_dir", None), ("policy_file", None), ("cleanup_interval", 3600.0)]


def test_the_enumerations_have_apollos_names_and_values() -> None:
    assert [(tier.name, tier.value) for tier in BudgetTier] == [
        ("LOCAL_LIGHTWEIGHT", "local_lightweight"), ("LOCAL_MIDWEIGHT", "local_midweight"),
        ("REMOTE_HEAVYWEIGHT", "remote_heavyweight"),
    ]  # fmt: skip
    assert [one.value for one in BudgetPeriod] == [
        "hourly", "daily", "weekly", "monthly", "per_session", "per_task",
    ]  # fmt: skip
    assert [one.value for one in BudgetPolicyType] == [
        "ignore", "warn", "soft_limit", "hard_limit",
    ]  # fmt: skip
    assert {one.name: one.value for one in TaskPriority} == {
        "LOW": 1, "NORMAL": 5, "HIGH": 8, "CRITICAL": 10,
    }  # fmt: skip


def test_the_tables_are_apollos() -> None:
    assert {tier.value: list(limits.values()) for tier, limits in DEFAULT_LIMITS.items()} == {
        "local_lightweight": [1_000_000, 10_000_000, 8_000],
        "local_midweight": [500_000, 5_000_000, 16_000],
        "remote_heavyweight": [100_000, 1_000_000, 32_000],
    }
    assert {task: list(sizes.values()) for task, sizes in DEFAULT_ALLOCATIONS.items()} == {
        "default": [1000, 2000, 4000, 8000],
        "chat": [2000, 4000, 8000, 16000],
        "coding": [4000, 8000, 16000, 32000],
        "analysis": [4000, 8000, 16000, 32000],
    }


def test_models_take_either_spelling_and_keep_plain_values() -> None:
    made = BudgetAllocation(
        contextId="c", component="a", tier=HEAVY, taskType="chat", tokensAllocated=10
    )

    assert (made.context_id, made.tier, made.priority, made.tokens_used) == (
        "c", "remote_heavyweight", 5, 0,
    )  # fmt: skip
    assert made.model_dump(by_alias=True)["tokensAllocated"] == 10
    made.expiration_time = made.creation_time
    assert BudgetAllocation.model_validate(made.model_dump(mode="json")) == made


@pytest.mark.parametrize(
    ("field", "value"), [("tier", "huge"), ("tokens_allocated", "many"), ("component", 5)]
)
def test_a_bad_assignment_is_an_error_that_names_the_field(field: str, value: Any) -> None:
    made = BudgetAllocation(
        context_id="c", component="a", tier=HEAVY, task_type="chat", tokens_allocated=10
    )
    with pytest.raises(ValueError, match=field):
        setattr(made, field, value)


def test_an_expiration_of_none_is_a_day_and_none_at_all_is_never() -> None:
    fields: dict[str, Any] = {
        "context_id": "c", "component": "a", "tier": HEAVY, "task_type": "chat",
        "tokens_allocated": 10,
    }  # fmt: skip
    made = BudgetAllocation(**fields, expiration_time=None)

    assert made.expiration_time == made.creation_time + timedelta(hours=24)
    assert BudgetAllocation(**fields).expiration_time is None
    assert BudgetAllocation(**fields | {"tokens_allocated": 0}).usage_percentage == 0.0


def test_nine_policies_that_warn_are_made_where_there_are_none(
    budget: BudgetClient, home: Path
) -> None:
    TokenBudgetManager(str(home), client=budget)

    rows = json.loads((home / "budget_policies.json").read_text())
    assert len(rows) == 9
    assert {row["type"] for row in rows} == {"warn"}
    assert set(rows[0]) == {
        "policy_id", "type", "period", "tier", "component", "task_type", "limit",
        "warning_threshold", "action_threshold", "start_date", "end_date", "enabled", "metadata",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("task_type", "priority", "tokens"),
    [
        ("chat", 1, 2000), ("chat", 5, 4000), ("chat", 8, 8000), ("chat", 10, 16000),
        ("coding", 5, 8000), ("default", 5, 2000), ("painting", 5, 2000),
    ],
)  # fmt: skip
async def test_an_allocation_is_sized_by_task_and_priority(
    manager: TokenBudgetManager, component: str, task_type: str, priority: int, tokens: int
) -> None:
    made = await manager.allocate_budget("size", component, task_type, priority=priority)

    assert made is not None
    assert made.tokens_allocated == tokens
    assert manager.get_allocation("size") is made


@pytest.mark.parametrize(
    ("task_type", "priority", "tokens"), [("chat", 9, 8000), ("painting", 10, 8000)]
)
async def test_differs_a_higher_priority_never_gets_less(
    manager: TokenBudgetManager, component: str, task_type: str, priority: int, tokens: int
) -> None:
    """The original gives chat 4000 at 9, and anything unknown 2000."""
    made = await manager.allocate_budget("more", component, task_type, priority=priority)

    assert made is not None
    assert made.tokens_allocated == tokens


@pytest.mark.parametrize("priority", [0, 11])
async def test_a_priority_outside_1_to_10_is_an_error(
    manager: TokenBudgetManager, component: str, priority: int
) -> None:
    with pytest.raises(ValueError, match="priority"):
        await manager.allocate_budget("c", component, priority=priority)


async def test_an_allocation_of_nothing_can_record_nothing(
    manager: TokenBudgetManager, component: str
) -> None:
    made = await manager.allocate_budget("nothing", component, token_count=0)

    assert made is not None
    assert (made.remaining_tokens, made.usage_percentage) == (0, 0.0)


async def test_the_tier_is_the_models_then_the_components_then_the_providers(
    manager: TokenBudgetManager, component: str
) -> None:
    async def tier(provider: str | None, model: str | None) -> str:
        made = await manager.allocate_budget("t", component, provider=provider, model=model)
        assert made is not None
        return made.tier

    assert await tier(None, None) == HEAVY
    assert await tier("ollama", None) == MID
    assert await tier("ollama", "CodeLlama") == LIGHT
    manager.set_component_tier(component, LIGHT)
    assert await tier("ollama", None) == LIGHT
    assert await tier("ollama", "mistral") == MID


def test_the_tier_tables_can_be_asked_and_set(manager: TokenBudgetManager) -> None:
    assert manager.get_model_tier("nobody-knows") is HEAVY
    assert manager.get_provider_tier("Anthropic") is HEAVY
    assert manager.get_component_tier("x") is None
    manager.set_model_tier("Nobody-Knows", LIGHT)
    manager.set_provider_tier("acme", "local_midweight")

    assert manager.get_model_tier("nobody-knows") is LIGHT
    assert manager.get_provider_tier("acme") is MID


def test_differs_a_dated_name_is_of_its_models_tier(manager: TokenBudgetManager) -> None:
    """The original knows exact names only."""
    assert manager.get_model_tier("claude-3-haiku-20240307") is MID


async def test_usage_is_counted_in_the_allocation_and_booked_in_the_daemon(
    daemon: Daemon, manager: TokenBudgetManager, component: str
) -> None:
    made = await manager.allocate_budget("use", component, "chat", "openai", "gpt-4o")
    assert made is not None

    assert manager.record_usage("use", 1000, "input") == 1000
    assert (made.tokens_used, made.remaining_tokens, made.usage_percentage) == (1000, 3000, 0.25)
    shown = daemon.get(f"/allocations/{made.allocation_id}").body
    assert shown["spent"] == {"usd": "0.000000000", "tokens": 1000, "calls": 1}
    assert [record.tokens_used for record in manager.usage_records] == [1000]


@pytest.mark.parametrize("tokens", [0, -5])
def test_no_tokens_and_unknown_contexts_record_nothing(
    manager: TokenBudgetManager, tokens: int
) -> None:
    assert manager.record_usage("nobody", 5) == 0
    assert manager.record_usage("nobody", tokens) == 0


async def test_differs_usage_beyond_the_allocation_is_booked_in_full(
    daemon: Daemon, manager: TokenBudgetManager, component: str
) -> None:
    """The original records 5000 of 6000 and forgets the rest, and all that comes later."""
    made = await manager.allocate_budget("over", component, token_count=5000)
    assert made is not None

    assert manager.record_usage("over", 6000) == 6000
    assert (made.is_active, made.remaining_tokens) == (False, 0)
    assert manager.record_usage("over", 100) == 0
    entries = daemon.get(f"/entries?component={component}&kind=recorded").body["items"]
    assert [entry["body"]["tokens"] for entry in entries] == [6000, 100]


async def test_usage_with_money_is_priced_where_that_is_wanted(
    budget: BudgetClient, daemon: Daemon, home: Path, component: str
) -> None:
    manager = TokenBudgetManager(str(home), client=budget, books_money=True)
    await manager.allocate_budget("paid", component, "chat", "openai", "gpt-4o")
    manager.record_usage("paid", 1000, "input")
    manager.record_usage("paid", 1000)  # kind unknown: as dear as output

    entries = daemon.get(f"/entries?component={component}&kind=recorded").body["items"]
    assert [entry["body"]["usd"] for entry in entries] == [2_500_000, 10_000_000]


async def test_differs_a_hard_limit_denies_also_by_what_is_set_aside(
    manager: TokenBudgetManager, component: str
) -> None:
    """The original never denies on Python 3.11, and never counts what is allocated."""
    manager.add_policy(policy(component))
    first = await manager.allocate_budget("one", component, token_count=4000)
    second = await manager.allocate_budget("two", component, token_count=2000)

    assert first is not None
    assert second is None
    assert manager.get_allocation("two") is None


async def test_a_critical_task_passes_a_hard_limit(
    manager: TokenBudgetManager, component: str
) -> None:
    manager.add_policy(policy(component))

    assert await manager.allocate_budget("low", component, token_count=6000) is None
    assert await manager.allocate_budget(
        "top", component, token_count=6000, priority=TaskPriority.CRITICAL
    )


@pytest.mark.parametrize("kind", ["ignore", "warn"])
async def test_policies_that_do_not_enforce_let_everything_through(
    manager: TokenBudgetManager, component: str, kind: str
) -> None:
    manager.add_policy(policy(component, type=kind, limit=1))

    assert await manager.allocate_budget("through", component, token_count=6000)


async def test_differs_a_soft_limit_stops_ordinary_priorities(
    manager: TokenBudgetManager, component: str
) -> None:
    """The original treats it as `warn`."""
    manager.add_policy(policy(component, type="soft_limit"))

    assert await manager.allocate_budget("five", component, token_count=6000) is None
    assert await manager.allocate_budget("eight", component, token_count=6000, priority=8)


async def test_a_new_allocation_of_a_context_replaces_the_one_before(
    daemon: Daemon, manager: TokenBudgetManager, component: str
) -> None:
    first = await manager.allocate_budget("same", component)
    second = await manager.allocate_budget("same", component)
    assert first is not None
    assert second is not None

    assert manager.get_allocation("same") is second
    assert daemon.get(f"/allocations/{first.allocation_id}").body["status"] == "released"


async def test_an_allocation_can_grow_live_longer_and_end(
    daemon: Daemon, manager: TokenBudgetManager, component: str
) -> None:
    made = await manager.allocate_budget("grow", component, token_count=1000)
    assert made is not None
    assert made.expiration_time is not None
    before = made.expiration_time

    assert manager.update_allocation("nobody") is None
    assert manager.update_allocation("grow", additional_tokens=-5) is made
    assert made.tokens_allocated == 1000
    manager.update_allocation("grow", additional_tokens=500, extend_expiration=timedelta(hours=1))
    assert (made.tokens_allocated, made.expiration_time) == (1500, before + timedelta(hours=1))
    shown = daemon.get(f"/allocations/{made.allocation_id}").body
    assert shown["held"]["tokens"] == 1500
    manager.update_allocation("grow", is_active=False)
    assert daemon.get(f"/allocations/{made.allocation_id}").body["status"] == "released"
    assert manager.record_usage("grow", 10) == 0


async def test_an_allocation_does_not_grow_past_a_hard_limit(
    manager: TokenBudgetManager, component: str
) -> None:
    manager.add_policy(policy(component))
    made = await manager.allocate_budget("big", component, token_count=4000)
    assert made is not None
    manager.update_allocation("big", additional_tokens=4000)

    assert made.tokens_allocated == 4000


@pytest.mark.parametrize("zoned", [False, True])
async def test_differs_a_time_may_have_a_zone(
    manager: TokenBudgetManager,
    component: str,
    zoned: bool,  # noqa: FBT001
) -> None:
    """In the original one aware time breaks recording, cleaning up and saving."""
    soon = datetime.now(UTC if zoned else None) + timedelta(minutes=5)
    manager.add_policy(policy(component, end_date=soon))
    made = await manager.allocate_budget("zoned", component, expiration=soon, token_count=10)
    assert made is not None

    assert manager.record_usage("zoned", 5) == 5


async def test_a_policy_out_of_its_dates_or_disabled_does_not_count(
    manager: TokenBudgetManager, component: str
) -> None:
    past, future = datetime.now() - timedelta(1), datetime.now() + timedelta(1)
    manager.add_policy(policy(component, end_date=past))
    manager.add_policy(policy(component, start_date=future))
    name = manager.add_policy(policy(component, enabled=False))

    assert await manager.allocate_budget("free", component, token_count=6000)
    manager.update_policy(name, enabled=True)
    assert await manager.allocate_budget("bound", component, token_count=6000) is None


async def test_policies_are_kept_found_changed_and_deleted(
    manager: TokenBudgetManager, home: Path, component: str
) -> None:
    made = policy(component, metadata={"team": "web"})
    name = manager.add_policy(made)

    assert manager.get_policy(name) is made
    changed = manager.update_policy(name, limit=7)
    assert changed is not None
    assert changed.limit == 7
    (row,) = json.loads((home / "budget_policies.json").read_text())
    assert (row["limit"], row["metadata"]) == (7, {"team": "web"})
    assert manager.update_policy("nobody", limit=7) is None
    assert manager.delete_policy(name)
    assert not manager.delete_policy(name)
    assert manager.get_policy(name) is None


async def test_differs_what_cannot_be_written_loses_nothing(
    manager: TokenBudgetManager, home: Path, component: str
) -> None:
    """In the original the file is cut off, and the next start knows nine defaults only."""
    kept = manager.add_policy(policy(component))
    with pytest.raises(TypeError):
        manager.add_policy(policy(component, metadata={"odd": object()}))
    with pytest.raises(ValueError, match="no field 'limt'"):
        manager.update_policy(kept, limt=1)

    (row,) = json.loads((home / "budget_policies.json").read_text())
    assert row["policy_id"] == kept
    assert list(manager._shelf.policies) == [kept]


async def test_a_file_that_is_broken_is_named_with_row_and_field(
    budget: BudgetClient, home: Path
) -> None:
    home.mkdir()
    rows = [policy().model_dump(mode="json"), policy().model_dump(mode="json") | {"tier": "huge"}]
    (home / "budget_policies.json").write_text(json.dumps(rows))

    with pytest.raises(ValueError, match=r"budget_policies.json, policy 2: BudgetPolicy.tier"):
        TokenBudgetManager(str(home), client=budget)


async def test_a_summary_shows_what_was_used_of_each_tiers_policy(
    manager: TokenBudgetManager, component: str
) -> None:
    manager.add_policy(policy(component, limit=10_000))
    await manager.allocate_budget("sum", component, "chat")
    manager.record_usage("sum", 1500)

    (summary,) = manager.get_budget_summary(HEAVY, component=component)
    assert (summary.total_allocated, summary.total_used, summary.limit) == (4000, 1500, 10_000)
    assert (summary.usage_percentage, summary.remaining, summary.is_exceeded) == (
        0.15, 8500, False,
    )  # fmt: skip
    assert summary.active_allocations == 1
    assert manager.get_budget_summary(HEAVY, BudgetPeriod.WEEKLY) == []


async def test_a_summary_of_one_component_counts_only_its_usage(
    manager: TokenBudgetManager, component: str
) -> None:
    manager.add_policy(policy(None, tier=MID, limit=10_000))
    for who in (component, f"{component}-other"):
        await manager.allocate_budget(who, who, provider="ollama")
        manager.record_usage(who, 700)

    (both,) = manager.get_budget_summary(MID)
    (one,) = manager.get_budget_summary(MID, component=component)
    assert (both.total_used, one.total_used) == (1400, 700)


async def test_callbacks_hear_of_everything_and_cannot_break_anything(
    manager: TokenBudgetManager, component: str
) -> None:
    heard: list[str] = []

    def listen(name: str) -> Callable[..., None]:
        return lambda *_: heard.append(name)

    async def late(*_: Any) -> None:
        heard.append("later")

    def broken(*_: Any) -> None:
        raise RuntimeError("mine")

    for name in ("on_allocation_created", "on_allocation_updated", "on_budget_exceeded"):
        manager.register_callback(name, broken)
        manager.register_callback(name, listen(name))
    manager.register_callback("on_policy_updated", listen("on_policy_updated"))
    manager.register_callback("on_allocation_created", late)
    manager.register_callback("on_nothing", broken)
    manager.add_policy(policy(component, type="warn", limit=100))
    await manager.allocate_budget("hear", component)
    await asyncio.sleep(0)
    manager.record_usage("hear", 200)

    assert heard == [
        "on_policy_updated", "on_allocation_created", "later", "on_budget_exceeded",
        "on_allocation_updated",
    ]  # fmt: skip


async def test_a_denied_allocation_tells_the_policy_and_what_is_used(
    manager: TokenBudgetManager, component: str
) -> None:
    heard: list[tuple[BudgetPolicy, int]] = []
    manager.register_callback("on_budget_exceeded", lambda *told: heard.append(told))
    rule = policy(component)
    manager.add_policy(rule)
    await manager.allocate_budget("first", component, token_count=5000)
    manager.record_usage("first", 5000)
    await manager.allocate_budget("second", component, token_count=1)

    assert heard == [(rule, 5000)]


@pytest.fixture
async def started(manager: TokenBudgetManager) -> AsyncIterator[TokenBudgetManager]:
    await manager.start()
    await manager.start()  # a second call only warns
    yield manager
    await manager.stop()


async def test_the_sweep_lets_go_of_what_has_expired(
    daemon: Daemon, started: TokenBudgetManager, component: str
) -> None:
    heard: list[str] = []
    started.register_callback("on_allocation_expired", lambda one: heard.append(one.context_id))
    made = await started.allocate_budget("short", component, token_count=10)
    kept = await started.allocate_budget("long", component, token_count=10)
    assert made is not None
    assert kept is not None
    made.expiration_time = datetime.now() - timedelta(seconds=1)
    for one in await asyncio.to_thread(started._sweep):
        started._events.fire("on_allocation_expired", one)

    assert heard == ["short"]
    assert started.get_allocation("short") is None
    assert started.get_allocation("long") is kept
    assert daemon.get(f"/allocations/{made.allocation_id}").body["status"] == "released"


async def test_differs_a_restart_finds_its_allocations_again(
    budget: BudgetClient, manager: TokenBudgetManager, home: Path, component: str
) -> None:
    """The original forgets every allocation and every counter."""
    name = f"a session of {component}"
    made = await manager.allocate_budget(name, component, "chat", "openai", "gpt-4o", 8)
    assert made is not None
    manager.record_usage(name, 1000)

    again = TokenBudgetManager(str(home), client=budget)
    await again.start()
    found = again.get_allocation(name)
    await again.stop()

    assert found is not None
    assert found.model_dump(mode="json") | {"metadata": {}} == made.model_dump(mode="json")


async def test_differs_the_daemon_warns_at_both_thresholds(
    manager: TokenBudgetManager, daemon: Daemon, component: str
) -> None:
    """The original reads neither."""
    name = manager.add_policy(policy(component, warning_threshold=0.5, action_threshold=0.9))

    assert daemon.get(f"/policies/apollo:{name}").body["policy"]["warn_at"] == [0.5, 0.9]


async def test_differs_a_stop_leaves_no_file_that_nobody_reads(
    manager: TokenBudgetManager, home: Path
) -> None:
    await manager.start()
    await manager.stop()

    assert [path.name for path in home.iterdir()] == ["budget_policies.json"]


def test_differs_a_coroutine_callback_outside_a_loop_is_run(
    manager: TokenBudgetManager, component: str
) -> None:
    """The original loses it."""
    heard: list[str] = []

    async def listen(told: BudgetPolicy) -> None:
        heard.append(told.policy_id)

    manager.register_callback("on_policy_updated", listen)
    assert manager.add_policy(policy(component)) == heard[0]


async def test_apollos_own_route_finds_what_it_asks_for(
    manager: TokenBudgetManager, component: str
) -> None:
    made = await manager.allocate_budget("route", component, requested_tokens=123)

    assert made is not None
    assert (made.allocated_tokens, made.expiration) == (123, made.expiration_time)


@pytest.mark.parametrize("away", ["deny", "allow", "queue"])
async def test_without_the_daemon_it_does_what_was_chosen(
    home: Path, queue: Path, component: str, away: Any
) -> None:
    url = "http://127.0.0.1:1"
    with BudgetClient(url=url, token="x", when_away=away, queue_dir=queue, tries=1) as client:
        manager = TokenBudgetManager(str(home), client=client)
        if away == "deny":
            with pytest.raises(Unavailable):
                await manager.allocate_budget("away", component)
            return
        made = await manager.allocate_budget("away", component, token_count=100)
        assert made is not None
        assert manager.record_usage("away", 60) == 60
        assert made.tokens_used == 60
        assert len(list(queue.glob("*.json"))) == (1 if away == "queue" else 0)
