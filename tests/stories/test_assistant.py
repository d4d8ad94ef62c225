"""The assistant end to end: it looks, pays, quotes, proposes; nothing it reads makes it act."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from daemon.journal.verify import verify
from tests.daemon_process import Daemon, running
from tests.harness.chat_server import (
    ChatServer,
    breaks_off,
    calls,
    chat_server,
    fails,
    hangs,
    redirects,
    says,
    says_slowly,
    sends,
)
from tests.harness.mcp_client import WAYS, Person, connected, problem, said
from tests.stories.conftest import CONFIG
from tests.stories.words import CALL, limit, made

KEY = "key-of-the-test-5e1f"
CALLERS = """
[[token]]
name = "apollo"
role = "report"
components = ["apollo"]

[[token]]
name = "viewer"
role = "read"
"""
ASSISTANT = """
[assistant]
model = "gpt-4o-mini"
provider = "openai"
base_url = "{base_url}"
key_file = "{key_file}"
limit_usd = "{limit_usd}"
time_s = {time_s}
turns = 4
"""


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    """A loop in a thread of its own, for the server: the tests wait for answers."""
    with start_blocking_portal() as opened:
        yield opened


@pytest.fixture(scope="module")
def chat(portal: BlockingPortal) -> Iterator[ChatServer]:
    with portal.wrap_async_context_manager(chat_server()) as server:
        yield server


@contextmanager
def with_model(home: Path, chat: ChatServer, *, usd: str = "1.00", time_s: float = 30.0):  # noqa: ANN201
    key_file = home / "key"
    key_file.write_text(KEY + "\n")
    table = ASSISTANT.format(
        base_url=chat.base_url, key_file=key_file, limit_usd=usd, time_s=time_s
    )
    with running(home, CONFIG + CALLERS + table) as started:
        yield started
        assert started.stop() == 0
        assert verify(started.data_dir).problems == []
        assert KEY not in started.said


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, chat: ChatServer) -> Iterator[Daemon]:
    with with_model(tmp_path_factory.mktemp("home"), chat) as started:
        yield started


def ask(daemon: Daemon, question: str = "where does the money go?", **fields: Any) -> Any:
    answer = daemon.post("/assistant/ask", {"question": question} | fields)
    assert answer.status == 200, answer.body
    return answer.body


def open_holds(daemon: Daemon) -> list[Any]:
    holds: list[Any] = daemon.get("/reservations?component=budget&status=held").body["items"]
    return holds


def spend(daemon: Daemon, me: str, times: int = 3) -> None:
    for _ in range(times):
        usage = {"input_tokens": 8_000, "output_tokens": 100}
        made(daemon.post("/usage", {"component": me, "model": CALL["model"], "usage": usage}))


def test_an_answer_rests_on_numbered_queries_and_pays_for_itself(
    daemon: Daemon, chat: ChatServer, me: str
) -> None:
    spend(daemon, me)
    chat.will(
        calls(("show_report", {"span": "today", "component": me, "group_by": ["component"]})),
        says("You spent 0.0255 USD in 3 calls [1], and 77777 elsewhere."),
    )
    before = balance_of_assistant(daemon)
    answer = ask(daemon)

    assert (answer["source"], answer["status"], answer["detail"]) == ("model", "done", None)
    assert [query["operation"] for query in answer["queries"]] == ["show_report"]
    assert answer["unproven"] == ["77777"]
    assert chat.results()[0]["data"]["total"]["cost_usd"] == "0.025500000"
    # 2 turns of 100 and 20 tokens at 0.15 and 0.60 dollars a million
    assert (answer["cost_usd"], answer["tokens"]) == ("0.000054000", 240)
    assert balance_of_assistant(daemon) - before == 54_000
    assert open_holds(daemon) == []
    assert chat.headers[-1]["Authorization"] == f"Bearer {KEY}"
    assert daemon.token not in chat.prompts


def balance_of_assistant(daemon: Daemon) -> int:
    rows = daemon.get("/balances?policy=assistant").body["items"]
    return sum(round(float(row["used"]) * 10**9) for row in rows)


def test_a_conversation_goes_on_and_is_nobody_elses(daemon: Daemon, chat: ChatServer) -> None:
    chat.will(says("It was rhetor."))
    first = ask(daemon, "who?")
    chat.will(says("Since Monday."))
    ask(daemon, "since when?", conversation_id=first["conversation_id"])
    said = [message["content"] for message in chat.asked[0]["messages"][1:]]
    assert said == ["who?", "It was rhetor.", "since when?"]

    theirs = {"question": "what did they say?", "conversation_id": first["conversation_id"]}
    stranger = daemon.token_of("apollo")
    refused = daemon.call("POST", "/api/v1/assistant/ask", theirs, token=stranger)
    assert refused.status == 404
    look = daemon.get(f"/assistant/answers/{first['answer_id']}", token=stranger)
    assert look.status == 404


def test_it_sees_no_further_than_whoever_asks(daemon: Daemon, chat: ChatServer, me: str) -> None:
    spend(daemon, me)
    chat.will(calls(("show_report", {"component": me}), ("show_report", {})), says("no"))
    body = {"question": "what do the others spend?"}
    token = daemon.token_of("apollo")
    answer = daemon.call("POST", "/api/v1/assistant/ask", body, token=token).body
    assert [query["refused"] is not None for query in answer["queries"]] == [True, True]
    assert "0.0255" not in chat.prompts
    viewer = daemon.token_of("viewer")
    assert daemon.call("POST", "/api/v1/assistant/ask", body, token=viewer).status == 403


@pytest.mark.parametrize(
    ("fault", "used"),
    [
        (fails(500), False),
        (fails(429), False),
        (fails(400, "your key is sk-12345678901234567890"), False),
        (sends("garbage"), False),
        (sends("data: {broken\n\n"), False),
        (sends("[1, 2]", "application/json"), False),
        (breaks_off("I was about to say"), True),
        (says("", None), True),
        (redirects("http://127.0.0.1:9/v1/chat/completions"), False),
    ],
    ids=["500", "429", "400", "garbage", "half-json", "no-stream", "broken-off", "silent", "307"],
)
def test_a_fault_of_the_model_ends_in_rules_and_leaves_no_hold(
    daemon: Daemon, chat: ChatServer, fault: Any, *, used: bool
) -> None:
    chat.will(fault)
    before = balance_of_assistant(daemon)
    answer = ask(daemon)
    assert answer["source"] == "rules"
    assert answer["text"].startswith("By rules, without a language model.")
    assert answer["detail"]
    assert "sk-1" not in answer["detail"]
    assert open_holds(daemon) == []
    assert (balance_of_assistant(daemon) > before) == used


def test_a_turn_without_a_usage_is_booked_at_an_estimate(daemon: Daemon, chat: ChatServer) -> None:
    chat.will(says("All is well.", None))
    answer = ask(daemon)
    assert answer["source"] == "model"
    assert answer["tokens"] > 1_000  # the question, the rules of the house and the tools


def test_a_model_that_never_comes_to_an_answer_is_stopped(daemon: Daemon, chat: ChatServer) -> None:
    chat.will(calls(("show_balances", {})))
    answer = ask(daemon)
    assert (answer["source"], len(chat.asked)) == ("rules", 4)
    assert "4 turns" in answer["detail"]
    assert open_holds(daemon) == []


def test_wrong_tool_calls_are_said_to_the_model_and_it_may_mend_them(
    daemon: Daemon, chat: ChatServer
) -> None:
    chat.will(
        calls(("show_report", "{no json"), ("show_report", {"span": "someday"}), ("rm_rf", {})),
        says("Sorry."),
    )
    assert ask(daemon)["source"] == "model"
    broken, wrong, unknown = chat.results()
    assert broken == {"error": "the arguments are not a JSON object"}
    assert wrong["refused"]["errors"][0]["field"] == "span"
    assert unknown == {"error": "there is no tool rm_rf"}


def test_a_proposal_is_applied_by_a_person_with_their_own_token(
    daemon: Daemon, chat: ChatServer, me: str
) -> None:
    limit(daemon, me, limit={"usd": "5.00"}, period="daily")
    wanted = {"name": me, "match": {"component": me}, "period": "daily",
              "limit": {"usd": "2.50"}, "why": "half is enough"}  # fmt: skip
    chat.will(calls(("propose_set_policy", wanted)), says("I propose half."))
    (proposal,) = ask(daemon)["proposals"]
    assert proposal["diff"] == [
        {"field": "limit.usd", "before": "5.000000000", "after": "2.500000000"}
    ]
    assert (proposal["status"], proposal["why"]) == ("open", "half is enough")
    shown = daemon.get(f"/policies/{me}").body
    assert (shown["policy"]["limit"]["usd"], shown["revision"]) == ("5.000000000", 1)

    path = f"/assistant/proposals/{proposal['proposal_id']}"
    for token in ("apollo", "viewer"):
        refused = daemon.call("POST", f"/api/v1{path}/apply", {}, token=daemon.token_of(token))
        assert refused.status == 403
    applied = daemon.post(f"{path}/apply", {})
    assert (applied.status, applied.body["status"], applied.body["ended_by"]) == (
        200, "applied", "admin",
    )  # fmt: skip
    assert daemon.get(f"/policies/{me}").body["policy"]["limit"]["usd"] == "2.500000000"
    (entry,) = daemon.get(f"/entries?kind=policy_set&subject={me}&limit=1000").body["items"][1:]
    assert entry["body"]["why"] == f"{proposal['proposal_id']}: half is enough"
    again = daemon.post(f"{path}/apply", {})
    assert (again.status, again.body["code"]) == (409, "overtaken")


def test_a_proposal_that_was_overtaken_or_put_aside_is_not_applied(
    daemon: Daemon, chat: ChatServer, me: str
) -> None:
    wanted = {"name": me, "period": "daily", "limit": {"calls": 5}, "match": {"component": me}}
    chat.will(calls(("propose_set_policy", wanted), ("propose_set_policy", wanted)), says("two"))
    first, second = ask(daemon)["proposals"]
    limit(daemon, me, limit={"calls": 7})
    late = daemon.post(f"/assistant/proposals/{first['proposal_id']}/apply", {})
    assert (late.status, late.body["code"]) == (409, "overtaken")
    aside = daemon.post(f"/assistant/proposals/{second['proposal_id']}/dismiss", {})
    assert aside.body["status"] == "dismissed"
    assert daemon.get(f"/policies/{me}").body["policy"]["limit"]["calls"] == 7
    opened = daemon.get("/assistant/proposals?status=open").body["items"]
    assert first["proposal_id"] in [one["proposal_id"] for one in opened]
    assert second["proposal_id"] not in [one["proposal_id"] for one in opened]


@pytest.mark.anyio
async def test_a_model_lists_shows_and_puts_aside_proposals_over_mcp(
    daemon: Daemon, chat: ChatServer, me: str
) -> None:
    wanted = {"name": me, "period": "daily", "limit": {"calls": 5}, "match": {"component": me}}
    chat.will(calls(("propose_set_policy", wanted)), says("one"))
    (proposal,) = (await anyio.to_thread.run_sync(ask, daemon))["proposals"]
    name = {"proposal_id": proposal["proposal_id"]}
    way, somebody = WAYS[0], Person(confirm=True)

    async with connected(daemon, way, daemon.token_of("viewer")) as client:
        found = said(await client.call_tool("budget_proposals", {"status": "open"}))["items"]
        assert found[0] == proposal
        assert said(await client.call_tool("budget_proposal", name)) == proposal
        refused = problem(await client.call_tool("budget_dismiss_proposal", name))
        assert refused["code"] == "forbidden"
    async with connected(daemon, way, elicitation_callback=somebody) as client:
        aside = said(await client.call_tool("budget_dismiss_proposal", name))
        assert (aside["status"], aside["ended_by"]) == ("dismissed", "admin")
        late = problem(await client.call_tool("budget_apply_proposal", name))
        assert late["code"] == "overtaken"
    assert somebody.asked[0] == f"Put the proposal {name['proposal_id']} aside for good?"


def test_proposals_outlive_the_daemon_and_no_proxy_is_asked(
    tmp_path: Path, chat: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    wanted = {"name": "kept", "period": "daily", "limit": {"calls": 5}}
    chat.will(calls(("propose_set_policy", wanted)), says("done"))
    with with_model(tmp_path, chat) as daemon:
        (made_before,) = ask(daemon)["proposals"]
        daemon.kill()
        daemon.start()
        (found,) = daemon.get("/assistant/proposals").body["items"]
        assert found == made_before


def test_its_own_limit_stops_it_and_nobody_else(tmp_path: Path, chat: ChatServer) -> None:
    chat.will(says("hello"))
    with with_model(tmp_path, chat, usd="0.000001") as daemon:
        answer = ask(daemon)
        assert answer["source"] == "rules"
        assert "the assistant's own call is not allowed" in answer["detail"]
        assert chat.asked == []
        made(daemon.post("/reservations", CALL | {"component": "apollo"}))


def test_a_model_that_is_too_slow_is_left_and_its_call_is_booked(
    tmp_path: Path, chat: ChatServer, portal: BlockingPortal
) -> None:
    free = portal.call(anyio.Event)
    chat.will(hangs(free.wait))
    with with_model(tmp_path, chat, time_s=1.0) as daemon:
        answer = ask(daemon)
        assert answer["source"] == "rules"
        assert "took longer than 1 s" in answer["detail"]
        assert open_holds(daemon) == []
        assert balance_of_assistant(daemon) > 0
        portal.call(free.set)


def test_what_is_being_said_can_be_followed(
    daemon: Daemon, chat: ChatServer, portal: BlockingPortal
) -> None:
    free = portal.call(anyio.Event)
    chat.will(says_slowly("It was rhetor", free.wait))
    begun = ask(daemon, wait=False)
    assert (begun["status"], begun["text"]) == ("working", "")
    path = f"/assistant/answers/{begun['answer_id']}"
    so_far = daemon.until(path, lambda body: body["text"] != "")
    assert (so_far["status"], so_far["text"]) == ("working", "It was rhetor")
    portal.call(free.set)
    done = daemon.get(f"{path}?wait_s=20").body
    assert (done["status"], done["source"]) == ("done", "model")


def test_tekton_finds_the_assistant_in_its_own_shapes(daemon: Daemon, chat: ChatServer) -> None:
    chat.will(calls(("show_balances", {})), says("Nothing much."))
    looked = {"period": "weekly", "days": 7, "include_raw_data": True}
    analyzed = daemon.post("/assistant/analyze", looked).body
    assert (analyzed["success"], analyzed["analysis"]) == (True, "Nothing much.")
    assert analyzed["raw_data"]["queries"][0]["operation"] == "show_balances"

    chat.will(says("A smaller one."))
    assert daemon.post("/assistant/optimize", {}).body["recommendations"] == "A smaller one."
    workload = {"task_description": "sort mail", "input_length": 500, "output_length": 20,
                "usage_frequency": 1000, "budget_limit": "5.00"}  # fmt: skip
    assert daemon.post("/assistant/recommend-model", workload).body["success"]
    assert "500 tokens in and 20 out" in chat.asked[-1]["messages"][-1]["content"]

    first = daemon.post("/assistant", {"message": "hello", "context": {}}).body
    again = {"message": "more", "context": {"conversation_id": first["conversation_id"]}}
    assert daemon.post("/assistant", again).body["response"] == "A smaller one."
    lost = daemon.post("/assistant", {"message": "x", "context": {"conversation_id": 5}})
    assert (lost.status, lost.body["errors"][0]["field"]) == (422, "conversation_id")
    assert daemon.post("/assistant/analyze", {"days": 0}).status == 422
