"""Which model instead: a table of situations over the real daemon, and no overspent route."""

from collections.abc import Iterator
from typing import Any

import aiohttp
import anyio
import pytest

from daemon.journal.verify import verify
from tests.daemon_process import PREFIX, Daemon, running
from tests.stories.words import PRICE, RESERVATION, limit, made, refused, reserve, settle

HAIKU, SONNET, OPUS = "claude-haiku-4-5", "claude-sonnet-5", "claude-opus-5"
"""At 1 and 5, 2 and 10, 5 and 25 dollars a million."""
JOB = {"input_tokens": 1_000, "max_output_tokens": 400}
"""0.003, 0.006 and 0.015 dollars."""

CONFIG = """
[[route]]
name = "work"
candidates = ["anthropic/claude-haiku-4-5", "anthropic/claude-sonnet-5", "openai/gpt-4o"]
local = ["ollama/llama3"]

[[model]]
name = "anthropic/claude-haiku-4-5"
can = ["tools"]

[[model]]
name = "ollama/llama3"
can = []
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("home"), CONFIG) as started:
        yield started
        assert started.stop() == 0
        assert verify(started.data_dir).problems == []


def route(daemon: Daemon, me: str, **fields: Any) -> dict[str, Any]:
    return made(daemon.post("/route", JOB | {"component": me} | fields), 200)


def why(reply: dict[str, Any], model: str) -> Any:
    """Verdict and reason of one candidate."""
    (row,) = [row for row in reply["candidates"] if row["model"] == model]
    return row["verdict"], row["reason"]


ANTHROPIC = {"provider": "anthropic"}
SITUATIONS: dict[str, tuple[list[dict[str, Any]], dict[str, Any], Any, dict[str, Any]]] = {
    "nothing stands in the way": (
        [], {"model": OPUS}, ("as_asked", OPUS), {HAIKU: ("fits", None)},
    ),
    "the money for the model asked for is not there": (
        [{"limit": {"usd": "0.010"}}], {"model": OPUS}, ("downgraded", SONNET),
        {OPUS: ("refused", "limit"), HAIKU: ("fits", None)},
    ),
    "the provider is exhausted": (
        [{"limit": {"calls": 0}, "match": ANTHROPIC}], {"model": OPUS}, ("downgraded", "gpt-4o"),
        {OPUS: ("refused", "limit"), SONNET: ("refused", "limit"), HAIKU: ("refused", "limit")},
    ),
    "all money is exhausted": (
        [{"limit": {"usd": "0"}}], {"model": OPUS}, ("downgraded", "llama3"),
        {"gpt-4o": ("refused", "limit"), "llama3": ("taken", None)},
    ),
    "everything is exhausted": (
        [{"limit": {"calls": 0}}], {"model": OPUS}, ("refused", None),
        {"llama3": ("refused", "limit"), HAIKU: ("refused", "limit")},
    ),
    "nothing is asked for": (
        [], {}, ("chosen", HAIKU), {SONNET: ("fits", None)},
    ),
    "the model asked for lacks a capability": (
        [], {"model": HAIKU, "needs": ["vision"]}, ("chosen", SONNET),
        {HAIKU: ("refused", "lacks"), "llama3": ("refused", "lacks")},
    ),
    "the model asked for reads too little": (
        [], {"model": HAIKU, "input_tokens": 300_000}, ("chosen", SONNET),
        {HAIKU: ("refused", "window"), "gpt-4o": ("refused", "window")},
    ),
    "nobody can do it": (
        [], {"model": HAIKU, "needs": ["video_input", "computer_use"]}, ("refused", None),
        {HAIKU: ("refused", "lacks"), "llama3": ("refused", "lacks")},
    ),
    "two cost the same: the one listed first": (
        [], {"candidates": [f"anthropic/{SONNET}", "anthropic/claude-sonnet-5-5"]},
        ("chosen", SONNET), {"claude-sonnet-5-5": ("fits", None)},
    ),
    "two cost the same, listed the other way": (
        [], {"candidates": ["anthropic/claude-sonnet-5-5", f"anthropic/{SONNET}"]},
        ("chosen", "claude-sonnet-5-5"), {SONNET: ("fits", None)},
    ),
    "the cheapest is wanted": (
        [], {"model": OPUS, "order": "cheapest"}, ("downgraded", "llama3"), {OPUS: ("fits", None)},
    ),
    "the order of the list is wanted": (
        [{"limit": {"calls": 0}, "match": {"model": OPUS}}],
        {"model": OPUS, "order": "listed"}, ("downgraded", HAIKU), {SONNET: ("fits", None)},
    ),
    "nothing dearer takes the place of what was asked for": (
        [{"limit": {"calls": 0}, "match": {"model": HAIKU}}], {"model": HAIKU},
        ("downgraded", "llama3"), {SONNET: ("refused", "dearer")},
    ),
    "the call may cost only so much": (
        [], {"model": OPUS, "max_usd": "0.005"}, ("chosen", HAIKU),
        {OPUS: ("refused", "max_usd"), SONNET: ("refused", "max_usd")},
    ),
    "a soft limit steers a call that may pass it": (
        [{"limit": {"usd": "0.010"}, "enforce": "soft"}], {"model": OPUS, "priority": 8},
        ("downgraded", SONNET), {OPUS: ("past_limit", None)},
    ),
    "a soft limit that nothing stays below is passed as asked": (
        [{"limit": {"calls": 0}, "enforce": "soft"}], {"model": OPUS, "priority": 8},
        ("as_asked", OPUS), {SONNET: ("past_limit", None)},
    ),
    "a policy that only warns refuses nothing, as Rhetor never did": (
        [{"limit": {"usd": "0"}, "enforce": "warn"}], {"model": OPUS}, ("as_asked", OPUS), {},
    ),
    "an old model is not offered": (
        [], {"candidates": ["openai/gpt-4-turbo", "openai/gpt-4o"]}, ("chosen", "gpt-4o"),
        {"gpt-4-turbo": ("refused", "retired")},
    ),
    "a model nobody knows is not offered": (
        [], {"candidates": ["openai/gpt-unheard-of", "openai/gpt-4o"]}, ("chosen", "gpt-4o"),
        {"gpt-unheard-of": ("refused", "unpriced")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_choice_and_its_reasons(daemon: Daemon, me: str, situation: str) -> None:
    policies, asked, (outcome, model), reasons = SITUATIONS[situation]
    for policy in policies:
        limit(daemon, me, **policy | {"match": policy.get("match", {}) | {"component": me}})

    reply = route(daemon, me, **asked)

    assert (reply["outcome"], reply["model"]) == (outcome, model), reply["detail"]
    assert {name: why(reply, name) for name in reasons} == reasons
    assert reply["reservation"] is None
    assert all(row["detail"] for row in reply["candidates"])
    assert (reply["denial"] is not None) == (outcome == "refused" and bool(policies))


def test_a_route_that_holds_says_what_is_held_and_settles_as_any_other(
    daemon: Daemon, me: str
) -> None:
    limit(daemon, me, limit={"usd": "0.004"})

    body = JOB | {"component": me, "model": OPUS, "hold": True}
    reply = made(daemon.post("/route", body, key="once"), 200)
    again = made(daemon.post("/route", body, key="once"), 200)

    held = reply["reservation"]
    assert again == reply
    assert held["reservation_id"] == RESERVATION
    assert (held["model"], held["held"]["usd"]) == (HAIKU, "0.003000000")
    assert held["price_version"] == PRICE
    (row,) = [row for row in reply["candidates"] if row["verdict"] == "taken"]
    assert row["room"] == {"usd": "0.004000000", "tokens": None, "calls": None}
    booked = made(settle(daemon, held, {"input_tokens": 1_000, "output_tokens": 100}), 200)
    assert booked["cost_usd"] == "0.001500000"


def test_a_route_that_may_not_hold_is_refused_with_the_limit_and_every_candidate(
    daemon: Daemon, me: str
) -> None:
    limit(daemon, me, limit={"calls": 0})

    answer = daemon.post("/route", JOB | {"component": me, "model": OPUS, "hold": True})

    problem = refused(answer, 402, "denied")
    assert problem["policy"] == me
    assert {row["reason"] for row in problem["candidates"]} == {"limit"}
    (entry,) = daemon.get(f"/entries?component={me}&kind=denied").body["items"]
    assert entry["body"]["model"] == OPUS


def test_what_no_model_can_do_is_unroutable(daemon: Daemon, me: str) -> None:
    body = JOB | {"component": me, "candidates": ["ollama/llama3"], "needs": ["pdf"], "hold": True}

    problem = refused(daemon.post("/route", body), 422, "unroutable")

    assert "is not known for pdf" in problem["detail"]
    assert "[[model]]" in problem["hint"]


def test_a_limit_that_downgrades_holds_the_next_cheaper_model(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"usd": "0.010"}, on_limit="downgrade")

    first = reserve(daemon, me, model=OPUS)
    checked = made(daemon.post("/check", JOB | {"component": me, "model": OPUS}), 200)
    second = reserve(daemon, me, model=OPUS)
    third = reserve(daemon, me, model=OPUS)

    assert [one["model"] for one in (first, second, third)] == [SONNET, HAIKU, "llama3"]
    assert first["instead_of"]["model"] == OPUS
    assert first["instead_of"]["policy"] == me
    assert (checked["outcome"], checked["allowed"]) == ("downgraded", True)
    assert checked["instead"]["model"] == HAIKU
    assert checked["denial"]["policy"] == me
    entry = daemon.get(f"/entries?subject={first['reservation_id']}").body["items"][0]
    assert entry["body"]["instead_of"] == f"anthropic/{OPUS}"
    assert daemon.get(f"/entries?component={me}&kind=denied").body["items"] == []


@pytest.mark.parametrize(
    ("fields", "others"),
    [
        ({"exact_model": True}, []),
        ({"usd": "0.015"}, []),
        ({}, [{"limit": {"usd": "0.001"}, "on_limit": "deny"}]),
        ({"needs": ["video_input"]}, []),
    ],
    ids=["exact-model", "a-sum-given", "another-limit-denies", "nobody-can"],
)
def test_a_call_is_refused_rather_than_downgraded(
    daemon: Daemon, me: str, fields: dict[str, Any], others: list[dict[str, Any]]
) -> None:
    limit(daemon, me, limit={"usd": "0.010"}, on_limit="downgrade")
    for policy in others:
        limit(daemon, me, name=f"{me[-90:]}-too", **policy)

    answer = daemon.post("/reservations", JOB | {"component": me, "model": OPUS} | fields)

    refused(answer, 402, "denied")


@pytest.mark.anyio
@pytest.mark.parametrize("door", ["/route", "/reservations"])
async def test_of_200_routes_at_once_none_overspends(daemon: Daemon, me: str, door: str) -> None:
    """0.100 dollars: some get what they ask for, some less, the others the local model."""
    limit(daemon, me, limit={"usd": "0.100"}, on_limit="downgrade")
    body = JOB | {"component": me, "model": OPUS} | ({"hold": True} if door == "/route" else {})
    held: list[dict[str, Any]] = []

    async def ask(session: aiohttp.ClientSession) -> None:
        async with session.post(PREFIX + door, json=body) as response:
            told = await response.json()
            assert response.status in (200, 201), told
            held.append(told["reservation"] if door == "/route" else told)

    with anyio.fail_after(60):
        async with daemon.session(connections=200) as session, anyio.create_task_group() as group:
            for _ in range(200):
                group.start_soon(ask, session)

    models = [one["model"] for one in held]
    assert len(held) == 200
    assert models.count(OPUS) == 6
    assert {OPUS, "llama3"} <= set(models) <= {OPUS, SONNET, HAIKU, "llama3"}
    spent = sum(int(one["held"]["usd"].replace(".", "")) for one in held)
    (row,) = daemon.get(f"/balances?policy={me}").body["items"]
    assert row["held"].replace(".", "").lstrip("0") == str(spent)
    assert spent <= 100_000_000
