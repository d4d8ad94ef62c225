"""A model holds, is denied, settles and looks: the official client, both eras, real pipes."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from urllib.parse import quote

import anyio
import pytest
from anyio import to_thread
from mcp.client.subscriptions import ResourceUpdated, SubscriptionLost
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from mcp_types import ResourceUpdatedNotification

from protocols.operations import OPERATIONS
from tests.daemon_process import Daemon, running
from tests.harness.mcp_client import WAYS, Person, Way, connected, problem, pump, said
from tests.stories.conftest import CONFIG
from tests.stories.words import CALL, USAGE, balance, limit, made, reserve

TOKENS = """
[[token]]
name = "viewer"
role = "read"

[[token]]
name = "apollo"
role = "report"
components = ["apollo"]
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory):  # noqa: ANN201
    with running(tmp_path_factory.mktemp("home"), CONFIG + TOKENS) as started:
        yield started
        assert started.stop() == 0
        assert "error" not in started.said.lower()


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


@pytest.mark.anyio
async def test_a_call_is_held_then_denied_with_the_numbers_then_settled(
    daemon: Daemon, me: str, way: Way
) -> None:
    limit(daemon, me, limit={"usd": "0.010"})
    async with connected(daemon, way) as client:
        assert client.protocol_version == way.version
        held = said(await client.call_tool("budget_reserve", CALL | {"component": me}))
        assert held["held"] == {"usd": "0.003000000", "tokens": 1_400, "calls": 1}

        large = CALL | {"component": me, "max_output_tokens": 40_000}
        denied = problem(await client.call_tool("budget_reserve", large))
        assert denied["code"] == "denied"
        assert (denied["left"], denied["policy"]) == ("0.007000000", me)
        assert denied["fits"] == {"max_output_tokens": 1_200}

        settle = {"reservation_id": held["reservation_id"], "usage": USAGE}
        booked = said(await client.call_tool("budget_settle", settle))
        assert booked["cost_usd"] == "0.001300000"
        status = said(await client.call_tool("budget_status", {"component": me}))
        assert [row["used"] for row in status["items"]] == ["0.001300000"]
    assert balance(daemon, me)["held"] == "0.000000000"


@pytest.mark.anyio
async def test_a_limit_changes_only_when_a_person_says_yes(
    daemon: Daemon, me: str, way: Way
) -> None:
    policy = {"name": me, "period": "daily", "limit": {"usd": "2.00"}, "match": {"component": me}}
    async with connected(daemon, way) as client:
        refused = problem(await client.call_tool("budget_set_policy", policy))
        assert refused["code"] == "forbidden"
        assert "cannot ask" in refused["detail"]

    nobody, somebody = Person(confirm=False), Person(confirm=True)
    async with connected(daemon, way, elicitation_callback=nobody) as client:
        refused = problem(await client.call_tool("budget_set_policy", policy))
        assert refused["detail"] == "the person did not confirm it"
    assert nobody.asked == [f"Set the policy {me}: usd 2.000000000 per daily, enforced hard?"]
    assert daemon.get(f"/policies/{me}").status == 404

    async with connected(daemon, way, elicitation_callback=somebody) as client:
        shown = said(await client.call_tool("budget_set_policy", policy))
        assert shown["policy"]["name"] == me
    assert daemon.get(f"/policies/{me}").status == 200
    assert len(somebody.asked) == 1


@pytest.mark.anyio
async def test_each_role_sees_the_tools_it_may_use_and_no_more(daemon: Daemon, way: Way) -> None:
    seen = {}
    for name in ("viewer", "apollo", "../token"):
        async with connected(daemon, way, daemon.token_of(name)) as client:
            seen[name] = {tool.name for tool in (await client.list_tools()).tools}
    assert "budget_reserve" not in seen["viewer"]
    assert seen["viewer"] < seen["apollo"] < seen["../token"]
    assert not {"budget_set_policy", "budget_proposals"} & seen["apollo"]
    assert {"budget_set_policy", "budget_proposals"} < seen["../token"]

    async with connected(daemon, way, daemon.token_of("viewer")) as client:
        refused = problem(await client.call_tool("budget_reserve", CALL | {"component": "me"}))
        assert refused["code"] == "forbidden"
    async with connected(daemon, way, daemon.token_of("apollo")) as client:
        refused = problem(await client.call_tool("budget_reserve", CALL | {"component": "rhetor"}))
        assert refused["code"] == "forbidden"


@pytest.mark.anyio
async def test_the_same_key_gives_the_first_answer_again(daemon: Daemon, me: str, way: Way) -> None:
    limit(daemon, me, limit={"calls": 5})
    call = CALL | {"component": me, "idempotency_key": f"{me}-1"}
    async with connected(daemon, way) as client:
        first = said(await client.call_tool("budget_reserve", call))
        again = said(await client.call_tool("budget_reserve", call))
        assert again == first
        other = problem(await client.call_tool("budget_reserve", call | {"input_tokens": 1}))
        assert other["code"] == "key-reused"
    assert balance(daemon, me)["held"] == 1


@pytest.mark.anyio
async def test_what_is_wrong_with_an_argument_is_said_with_the_remedy(
    daemon: Daemon, way: Way
) -> None:
    async with connected(daemon, way) as client:
        wrong = {"component": "me", "model": "gpt-4o", "max_output": 7}
        refused = problem(await client.call_tool("budget_check", wrong))
        assert refused["errors"] == [
            {
                "field": "max_output",
                "problem": "Extra inputs are not permitted",
                "remedy": "did you mean max_output_tokens?",
            }
        ]


@pytest.mark.anyio
async def test_balances_and_prices_can_be_read_and_prompts_filled_in(
    daemon: Daemon, me: str, way: Way
) -> None:
    limit(daemon, me, limit={"usd": "1.00"})
    reserve(daemon, me)
    async with connected(daemon, way) as client:
        listed = {str(resource.uri) for resource in (await client.list_resources()).resources}
        mine = next(uri for uri in listed if me in uri)
        (content,) = (await client.read_resource(mine)).contents
        assert [row["policy"] for row in json.loads(content.text)["items"]] == [me]  # type: ignore[union-attr]

        (price,) = (await client.read_resource("prices://anthropic/claude-haiku-4-5")).contents
        assert json.loads(price.text)["version"]["price"]["rates"]["input"] == "1"  # type: ignore[union-attr]
        assert len((await client.list_resource_templates()).resource_templates) >= 2

        assert {prompt.name for prompt in (await client.list_prompts()).prompts} == {
            "review_spend", "plan_within_budget",
        }  # fmt: skip
        plan = await client.get_prompt(
            "plan_within_budget", {"amount_usd": "2.50", "task": "read a book"}
        )
        assert "2.50 USD" in plan.messages[0].content.text  # type: ignore[union-attr]


@pytest.mark.anyio
async def test_a_report_is_read_with_progress(daemon: Daemon, me: str, way: Way) -> None:
    made(daemon.post("/usage", {"component": me, "model": CALL["model"], "usage": USAGE}))
    heard: list[str | None] = []

    async def hear(_: float, __: float | None, message: str | None) -> None:
        heard.append(message)

    async with connected(daemon, way) as client:
        asked = {"span": "today", "component": me}
        report = said(await client.call_tool("budget_report", asked, progress_callback=hear))
        assert report["total"]["cost_usd"] == "0.001300000"
        (content,) = (await client.read_resource("report://today")).contents
        rows = json.loads(content.text)["items"]  # type: ignore[union-attr]
        assert me in [row["group"]["component"] for row in rows]
    assert heard == ["budget_report has been at it for 0 s"]


@pytest.mark.anyio
async def test_who_watches_a_budget_hears_that_it_has_changed(
    daemon: Daemon, me: str, way: Way
) -> None:
    uri = f"budget://{quote(me, safe='')}"
    heard = anyio.Event()

    async def hear(message: object) -> None:
        if isinstance(message, ResourceUpdatedNotification) and str(message.params.uri) == uri:
            heard.set()

    async with connected(daemon, way, message_handler=hear) as client:
        if way.mode == "legacy":
            with pytest.warns(MCPDeprecationWarning):  # the newer era has listen() instead
                await client.subscribe_resource(uri)
            await to_thread.run_sync(partial(limit, daemon, me, limit={"calls": 5}))
            await heard.wait()
        else:
            async with client.listen(resource_subscriptions=[uri]) as changes:
                await to_thread.run_sync(partial(limit, daemon, me, limit={"calls": 5}))
                assert await anext(aiter(changes)) == ResourceUpdated(uri=uri)


@pytest.mark.anyio
async def test_a_token_that_is_revoked_takes_its_streams_along(daemon: Daemon) -> None:
    token = made(daemon.post("/tokens", {"name": "leaver", "role": "read"}))["token"]
    async with (
        connected(daemon, WAYS[0], token) as client,
        client.listen(resource_subscriptions=["budget://all"]) as changes,
    ):
        await to_thread.run_sync(daemon.delete, "/tokens/leaver")
        with pytest.raises(SubscriptionLost):
            await anext(aiter(changes))


@pytest.mark.anyio
@pytest.mark.parametrize("way", WAYS[2:], ids=str)
async def test_the_daemon_may_be_restarted_behind_the_pump(tmp_path: Path, way: Way) -> None:
    daemon = await to_thread.run_sync(Daemon(tmp_path, CONFIG).start)
    try:
        async with connected(daemon, way) as client:
            said(await client.call_tool("budget_status", {}))
            await to_thread.run_sync(daemon.stop)
            with pytest.raises(MCPError, match="budget up"):
                await client.call_tool("budget_status", {})
            await to_thread.run_sync(daemon.start)
            said(await client.call_tool("budget_status", {}))
    finally:
        daemon.kill()


@pytest.mark.parametrize("transport", ["http", "stdio"])
def test_a_client_of_version_1_holds_is_denied_and_settles(transport: str, tmp_path: Path) -> None:
    python = os.environ.get("MCP_V1_PYTHON")
    if python is None:
        pytest.skip("MCP_V1_PYTHON names no interpreter with mcp 1.x")
    with running(tmp_path, CONFIG) as daemon:
        where = (
            [f"{daemon.told['url']}/mcp", daemon.token]
            if transport == "http"
            else [sys.executable, *pump(daemon).args]
        )
        heard = json.loads(
            subprocess.run(
                [python, Path(__file__).with_name("mcp_v1_client.py"), transport, *where],
                check=True, capture_output=True, timeout=90,
            ).stdout
        )  # fmt: skip
    assert heard == {
        "version": "2025-11-25",
        "tools": [row.tool.name for row in OPERATIONS if row.tool],
        "held": {"usd": "0.003000000", "tokens": 1_400, "calls": 1},
        "denied": [True, "0.007000000"],
        "cost_usd": "0.001300000",
    }


def test_what_is_said_while_no_daemon_runs_is_answered_with_how_to_start_it(
    tmp_path: Path,
) -> None:
    nobody = Daemon(tmp_path)
    here = pump(nobody)
    lines = b'{"jsonrpc":"2.0","id":7,"method":"tools/list"}\nnot json\n'
    environ = (here.env or {}) | {"BUDGET_URL": "http://127.0.0.1:9"}
    told = subprocess.run(
        [here.command, *here.args], input=lines, capture_output=True, env=environ, timeout=90,
        check=True,
    )  # fmt: skip
    lines_back = [json.loads(line) for line in told.stdout.splitlines()]
    answers = {answer["id"]: answer["error"] for answer in lines_back}
    assert "`budget up`" in answers[7]["message"]
    assert answers[7]["data"]["outcome"] == "not-applied"
    assert answers[None]["code"] == -32700


@pytest.mark.parametrize("verb", ["status", "mcp"])
def test_the_command_line_starts_without_the_sdks(daemon: Daemon, verb: str) -> None:
    program = (
        "import sys; from daemon.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'mcp', 'openai', 'aiohttp', 'pydantic'} & set(sys.modules)\n"
        "sys.stderr.write(f'imported {sorted(heavy)}')"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, verb, "--data-dir", str(daemon.data_dir)],
        input=b"", capture_output=True, env=daemon.environ(), timeout=90, check=True,
    )  # fmt: skip
    assert b"imported []" in done.stderr


def test_the_daemon_starts_without_what_it_may_never_need(daemon: Daemon) -> None:
    program = (
        "import sys, daemon.run\n"
        "print(sorted({'mcp', 'openai', 'bpe_openai', 'apprise'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True, env=daemon.environ(), timeout=90, check=True,
    )  # fmt: skip
    assert done.stdout == b"[]\n"
