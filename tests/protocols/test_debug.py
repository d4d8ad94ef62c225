"""Debug instrumentation: Tekton's names and variables, nothing when off, no secret when on."""

import inspect
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from actors.ledger import estimate
from actors.policy import decide, policies
from actors.prices import decisions, round  # noqa: A004  # a round of votes
from daemon.journal import verify as journal_verify
from daemon.journal import write
from protocols import costing
from protocols.debug import DebugLog, LogLevel, debug_log, log_function
from protocols.debug.describe import TEXT_MAX, describe
from protocols.ledger import Reserve
from protocols.prices import answers
from protocols.usage import normalise
from tests.daemon_process import Daemon, running

ROOT = Path(__file__).parents[2]
SECRET = "tkb_abcd1234_Zm9vYmFyYmF6Zm9vYmFyYmF6"

TEKTONS = """
import logging, sys
class DebugLog:
    def set_enabled(self, enabled):
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("tekton's own [%(component)s] %(message)s"))
        logging.getLogger("tekton").handlers = [handler]
        logging.getLogger("tekton").setLevel(5)
        return True
debug_log = DebugLog()
"""
"""What is seen of Tekton's module from outside: its logger, which it points at stdout."""


@pytest.fixture
def on() -> Iterator[None]:
    """Everything is heard, for one test."""
    debug_log.set_enabled(True)
    debug_log.default_level = LogLevel.TRACE
    yield
    debug_log.set_enabled(False)
    debug_log.default_level = LogLevel.INFO


def run(code: str, place: Path = ROOT, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run it where the variables are read once, at import."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TEKTON")}
    return subprocess.run(
        [sys.executable, "-c", f"from protocols.debug import *\n{code}"],
        capture_output=True,
        text=True,
        check=True,
        env=plain | {"PYTHONPATH": f"{ROOT}{os.pathsep}{place}"} | env,
        timeout=60,
    )


SAY = 'print(debug_log.info("budget_engine", "here", {"a": 1}), debug_log.debug("x", "not here"))'


@pytest.mark.parametrize("word", ["true", "1", "YES"])
def test_the_words_that_turn_it_on(word: str) -> None:
    done = run(SAY, TEKTON_DEBUG=word)

    assert done.stdout == "True False\n"
    assert '[INFO] [budget_engine] here {"a": 1}' in done.stderr


@pytest.mark.parametrize("word", ["", "on", "false", "0"])
def test_anything_else_leaves_it_off_and_silent(word: str) -> None:
    done = run(SAY, TEKTON_DEBUG=word)

    assert (done.stdout, done.stderr) == ("False False\n", "")


def test_the_level_the_format_and_the_file_come_from_tektons_variables(tmp_path: Path) -> None:
    file = tmp_path / "debug.log"
    done = run(
        'debug_log.trace("a", "one"); debug_log.debug("a", "two", 3)',
        TEKTON_DEBUG="1",
        TEKTON_LOG_LEVEL="debug",
        TEKTON_LOG_FORMAT="json",
        TEKTON_LOG_FILE=str(file),
    )
    (line,) = done.stderr.splitlines()
    told = json.loads(line)

    assert file.read_text() == done.stderr
    assert told.keys() == {"timestamp", "level", "component", "message", "data", "caller"}
    assert (told["level"], told["message"], told["data"]) == ("DEBUG", "two", {"value": 3})
    assert told["caller"]["function"] == "<module>"


def test_tektons_own_handlers_write_where_its_module_can_be_imported(tmp_path: Path) -> None:
    """And they write to stderr: stdout belongs to commands and to MCP."""
    package = tmp_path / "shared" / "debug"
    package.mkdir(parents=True)
    (package / "debug_utils.py").write_text(TEKTONS)

    done = run(SAY, tmp_path, TEKTON_DEBUG="true")

    assert done.stdout == "True False\n"
    assert done.stderr == "tekton's own [budget_engine] here\n"


def test_a_component_has_a_level_of_its_own() -> None:
    log = DebugLog({"TEKTON_DEBUG": "1", "TEKTON_LOG_LEVEL": "nonsense"})

    assert not log.should_log(LogLevel.DEBUG, "prices")
    assert log.set_component_level("prices", "debug")
    assert log.should_log(LogLevel.DEBUG, "prices")
    assert log.set_component_level("prices", LogLevel.OFF)
    assert not log.should_log(LogLevel.FATAL, "prices")
    assert not log.set_component_level("prices", "nonsense")
    assert log.should_log(LogLevel.INFO, "anybody else")


@log_function()
def double(amount: int, *, key: str = "") -> int:
    return amount * 2 + len(key) * 0


@log_function("info", include_args=False, component="price_monitor")
def fail(_: str) -> None:
    raise ValueError("it broke")


@pytest.mark.usefixtures("on")
def test_a_function_says_what_it_was_given_and_what_came_of_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert double(21, key=SECRET) == 42
    with pytest.raises(ValueError, match="it broke"):
        fail(SECRET)

    out, err = capfd.readouterr()
    assert out == ""
    assert 'ENTER double {"args": [21], "key": "tkb_abcd1234_[redacted]"}' in err
    assert 'EXIT double {"result": 42}' in err
    assert "[INFO] [price_monitor] ENTER fail\n" in err
    assert "[ERROR] [price_monitor] EXCEPTION in fail: it broke" in err
    assert SECRET not in err


def test_a_decorated_function_is_silent_when_off(capfd: pytest.CaptureFixture[str]) -> None:
    assert double(21) == 42
    assert capfd.readouterr() == ("", "")


@log_function()
async def later(amount: int) -> int:
    return amount + 1


@log_function()
def count() -> Iterator[str]:
    try:
        yield "one"
    except KeyError:
        yield "caught"


@log_function()
async def count_later() -> AsyncIterator[str]:
    try:
        yield "one"
    except KeyError:
        yield "caught"


@pytest.mark.anyio
@pytest.mark.parametrize("state", ["on", "off"])
async def test_what_is_decorated_stays_what_it_was(
    state: str, request: pytest.FixtureRequest
) -> None:
    if state == "on":
        request.getfixturevalue("on")

    assert inspect.iscoroutinefunction(later)
    assert inspect.isgeneratorfunction(count)
    assert inspect.isasyncgenfunction(count_later)
    assert await later(1) == 2
    assert list(count()) == ["one"]
    assert [item async for item in count_later()] == ["one"]


@pytest.mark.anyio
@pytest.mark.usefixtures("on")
async def test_what_is_thrown_into_a_generator_reaches_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    throwing = count()
    next(throwing)
    assert throwing.throw(KeyError) == "caught"

    async with aclosing(count_later()) as items:
        await anext(items)
        assert await items.athrow(KeyError) == "caught"

    with pytest.raises(KeyError), contextmanager(log_function()(_swallows_nothing))():
        raise KeyError
    async with asynccontextmanager(log_function()(_swallows))():
        raise KeyError
    assert "EXIT _swallows\n" in capfd.readouterr().err


def _swallows_nothing() -> Iterator[None]:
    yield


async def _swallows() -> AsyncIterator[None]:
    try:
        yield
    except KeyError:
        return


def test_a_value_is_shown_in_short_and_without_what_is_nobodys_business() -> None:
    ask = Reserve(component="apollo", model="gpt-4o", input_text="my diary")
    told = describe({"ask": ask, "api_key": "x", "X-Authentication-Token": "y", "text": "a" * 999})

    assert told["ask"]["is"] == "Reserve"
    assert told["ask"]["component"] == "apollo"
    assert "input_text" not in told["ask"]
    assert (told["api_key"], told["X-Authentication-Token"]) == ("[redacted]", "[redacted]")
    assert len(told["text"]) == TEXT_MAX + 1
    assert describe(object()) == "<object>"
    deep: list[object] = []
    deep.append(deep)
    assert "<list>" in str(describe(deep))


@pytest.mark.parametrize(
    "decision",
    [
        costing.cost, normalise, answers.quote, decide.judge, policies.change,
        estimate.for_call, estimate.for_allocation, decisions.decide, round.judge_all,
        write.write, journal_verify.verify,
    ],
)  # fmt: skip
def test_every_decision_of_the_core_can_be_heard(decision: object) -> None:
    assert hasattr(decision, "__wrapped__")


class Talkative(Daemon):
    """A daemon somebody listens to."""

    def environ(self) -> dict[str, str]:
        return super().environ() | {"TEKTON_DEBUG": "true", "TEKTON_LOG_LEVEL": "DEBUG"}


def test_every_message_of_a_call_is_heard_and_no_secret_with_it(tmp_path: Path) -> None:
    daemon = Talkative(tmp_path).start()
    try:
        body = {"component": "apollo", "model": "gpt-4o", "input_text": "my diary", "priority": 7}
        assert daemon.post("/reservations", body).status == 201
        assert daemon.stop() == 0
    finally:
        if daemon.alive:
            daemon.kill()

    for line in (
        "[INFO] [budget_http] POST /api/v1/reservations is answered 201",
        "[DEBUG] [budget_ledger] hears Reserve",
        "[DEBUG] [budget_policy] hears Admit",
        "[DEBUG] [budget_journal] hears Append",
        "[DEBUG] [budget_ledger] Reserve is answered",
        "[DEBUG] [budget_policy] ENTER judge",
        "[DEBUG] [budget_costing] EXIT cost",
    ):
        assert line in daemon.said
    assert daemon.token not in daemon.said
    assert "my diary" not in daemon.said


def test_a_daemon_nobody_listens_to_says_nothing_of_it(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.post("/reservations", {"component": "apollo", "model": "gpt-4o"})
        assert "hears" not in daemon.said
