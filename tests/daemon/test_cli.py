"""The command `budget`: what it says, what it loads, with which code it leaves."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from daemon.cli.calls import USED, WANTED
from daemon.cli.group import SECTIONS, VERBS
from daemon.cli.group import budget as group
from daemon.cli.policy import RULE
from protocols.ledger import Wanted
from protocols.policy.policy import Limit, Match, Policy
from tests.daemon.conftest import ROOT, Run

SNAPSHOT = ROOT / "tests" / "snapshots" / "help.txt"
NOBODY = "http://127.0.0.1:9"
CLIENT_VERBS = (
    ["status"],
    ["balances"],
    ["check", "apollo", "gpt-5-mini"],
    ["reserve", "apollo", "gpt-5-mini"],
    ["settle", "rsv_1", "--in", "1"],
    ["release", "rsv_1"],
    ["record", "apollo", "gpt-5-mini", "--in", "1"],
    ["explain", "apollo", "gpt-5-mini"],
    ["cost", "gpt-5-mini", "--in", "1"],
    ["policy", "list"],
    ["policy", "show", "house"],
    ["policy", "set", "house", "--usd", "1", "--period", "daily"],
    ["policy", "rm", "house"],
    ["entries"],
    ["events"],
    ["events", "--follow"],
    ["alerts", "list"],
    ["alerts", "show", "1"],
    ["alerts", "ack", "1"],
    ["alerts", "channels"],
    ["alerts", "test", "log"],
    ["prices", "list"],
)
HEAVY = ("mcp", "openai", "aiohttp", "pykka", "anyio", "pydantic", "actors", "sqlite3", "asyncio")


def commands(ctx: click.Context) -> Iterator[click.Context]:
    """Walk the whole tree of verbs."""
    yield ctx
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            assert command is not None
            yield from commands(command.make_context(name, [], ctx, resilient_parsing=True))


def test_every_help_text_is_the_one_that_was_agreed() -> None:
    """Refresh with UPDATE_SNAPSHOTS=1; the difference is the change a user sees."""
    root = group.make_context("budget", [], resilient_parsing=True, terminal_width=100)
    texts = "\n\n".join(f"$ {ctx.command_path} --help\n{ctx.get_help()}" for ctx in commands(root))
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(texts + "\n", encoding="utf-8")

    assert SNAPSHOT.read_text(encoding="utf-8") == texts + "\n"


def test_help_shows_every_verb_and_every_exit_code(budget: Run) -> None:
    shown = budget("--help")

    assert shown.returncode == 0
    assert all(re.search(rf"^  {verb}  +\S", shown.stdout, re.MULTILINE) for verb in VERBS)
    assert all(f"{section}:" in shown.stdout for section in SECTIONS)
    codes = re.findall(r"^  (\d+) ", shown.stdout, re.MULTILINE)
    assert codes == ["0", "1", "2", "3", "4", "5", "6", "65", "73", "75", "78"]


def test_version_is_said(budget: Run) -> None:
    assert re.fullmatch(r"budget \d+\.\d+\.\d+\n", budget("--version").stdout)


def test_a_verb_that_does_not_exist_is_met_with_a_guess(budget: Run) -> None:
    wrong = budget("stauts")

    assert wrong.returncode == 2
    assert wrong.stdout == ""
    assert "error: No such command 'stauts'. Did you mean 'status'?" in wrong.stderr
    assert "hint: `budget --help`" in wrong.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["reserve"], "Missing argument 'COMPONENT'"),
        (["check", "a", "m", "--in", "many"], "not a whole number such as 1200, 12k or 1.5M"),
        (["check", "a", "m", "--in", "1.2345k"], "not a whole number"),
        (["reserve", "a", "m", "--usd", "1e3"], "not an amount of USD"),
        (["reserve", "a", "m", "--usd", "-1"], "not an amount of USD"),
        (["reserve", "a", "m", "--tag", "web"], "not of the form name=value"),
        (["settle", "rsv_1", "--usage", "nowhere.json"], "cannot read nowhere.json"),
        (["settle", "rsv_1", "--usage", "{"], "is not JSON"),
        (["settle", "rsv_1", "--usage", "{}", "--in", "1"], "not both"),
        (["policy", "set", "x", "--period", "daily"], "limit something"),
        (["policy", "set", "x", "--usd", "1"], "Missing option '--period'"),
        (["balances", "-o", "xml"], "'xml' is not one of"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
    ],
)
def test_wrong_usage_is_said_and_leaves_with_2(budget: Run, args: list[str], said: str) -> None:
    wrong = budget(*args)

    assert wrong.returncode == 2
    assert wrong.stderr.startswith("error: ")
    assert said in wrong.stderr
    assert "Traceback" not in wrong.stderr


@pytest.mark.parametrize("args", CLIENT_VERBS, ids=lambda args: " ".join(args[:2]))
def test_without_a_daemon_every_asking_verb_leaves_with_3(budget: Run, args: list[str]) -> None:
    alone = budget(*args, "--url", NOBODY)

    assert alone.returncode == 3
    assert alone.stdout == ""
    assert alone.stderr.startswith(f"error: no daemon at {NOBODY}")
    assert "hint: start it with `budget up`" in alone.stderr


def test_in_json_a_refusal_is_a_problem_document_too(budget: Run) -> None:
    alone = budget("status", "--json", "--url", NOBODY)

    assert json.loads(alone.stdout)["code"] == "unavailable"
    assert alone.stderr.startswith("error: no daemon at")


def test_asking_verbs_load_neither_the_server_nor_its_libraries(
    environ: dict[str, str], tmp_path: Path
) -> None:
    program = """
import json, sys
measuring = set(sys.modules)  # what watches the test is not what the verb loads
from daemon.cli import run
verbs, heavy = map(json.loads, sys.argv[1:])
told = {}
for verb in verbs:
    run(verb)
    told[" ".join(verb)] = sorted((set(sys.modules) - measuring) & set(heavy))
print("modules", json.dumps(told))
"""
    verbs = [["--help"], *CLIENT_VERBS]
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, json.dumps(verbs), json.dumps(HEAVY)],
        env=environ | {"BUDGET_URL": NOBODY},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    told = json.loads(done.stdout.rpartition("modules ")[2])
    assert told == {" ".join(verb): [] for verb in verbs}


def test_the_typed_fields_are_fields_of_the_messages() -> None:
    """Hand-written options, but none that the daemon does not know, and none forgotten."""

    def names(*decorators: Any) -> set[str]:
        @click.command()
        def verb() -> None:
            pass

        for decorator in decorators:
            verb = decorator(verb)
        return {str(param.name) for param in verb.params}

    assert names(*WANTED) == set(Wanted.model_fields) - {"ttl_s", "metadata"}
    rule = names(*RULE)
    axes = set(Limit.model_fields)
    assert rule >= axes
    assert rule - axes - {"override_priority", "override_usd"} == (
        set(Policy.model_fields) - {"name", "limit", "override"}
    )
    assert {"usage", "input", "output", "cache_read"} == names(*USED)
    assert "tags" in Match.model_fields


def test_a_sound_configuration_is_said_to_be_sound(budget: Run, tmp_path: Path) -> None:
    (tmp_path / "budget.toml").write_text(
        '[[policy]]\nname = "all"\nlimit = { usd = "1.00" }\nperiod = "daily"\n'
    )

    sound = budget("config", "check")

    assert sound.returncode == 0
    assert sound.stdout == "✓ budget.toml: 1 policy, 0 budgets\n"


def test_all_mistakes_of_a_configuration_are_said_at_once(budget: Run, tmp_path: Path) -> None:
    (tmp_path / "budget.toml").write_text("[daemon]\nprot = 80\n[limits]\nbody_s = -1\n")

    wrong = budget("config", "check")

    assert wrong.returncode == 78
    assert "error: 2 problems in the configuration" in wrong.stderr
    assert "did you mean port?" in wrong.stderr
    assert "limits.body_s" in wrong.stderr


@pytest.mark.parametrize("verb", ["serve", "up"])
def test_a_wrong_configuration_starts_nothing(budget: Run, tmp_path: Path, verb: str) -> None:
    wrong = budget(verb, "--host", "0.0.0.0", "--data-dir", str(tmp_path / "data"))

    assert wrong.returncode == 78
    assert "daemon.host" in wrong.stderr
    assert not (tmp_path / "data").exists()


def test_every_setting_is_shown_with_its_origin(budget: Run) -> None:
    shown = budget("config", "show", "-o", "json", env={"BUDGET_PORT": "9999"})

    rows = {row["key"]: row for row in json.loads(shown.stdout)["items"]}
    assert rows["daemon.port"] == {
        "key": "daemon.port", "value": "9999", "origin": "environment BUDGET_PORT",
    }  # fmt: skip
    assert rows["daemon.host"]["origin"] == "default"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_every_shell_gets_its_completion(budget: Run, shell: str) -> None:
    script = budget("completion", shell)

    assert script.returncode == 0
    assert "_BUDGET_COMPLETE" in script.stdout


def test_completion_knows_the_verbs(budget: Run) -> None:
    env = {"_BUDGET_COMPLETE": "bash_complete", "COMP_WORDS": "budget re", "COMP_CWORD": "1"}

    begin_so = [f"plain,{verb}" for verb in VERBS if verb.startswith("re")]
    assert "plain,reserve" in begin_so
    assert budget(env=env).stdout.split() == begin_so


def test_down_with_nothing_running_is_no_error(budget: Run, tmp_path: Path) -> None:
    done = budget("down", "--data-dir", str(tmp_path / "data"))

    assert done.returncode == 0
    assert done.stdout.startswith("no daemon is running")


def test_verify_without_a_journal_says_so(budget: Run, tmp_path: Path) -> None:
    done = budget("verify", "--data-dir", str(tmp_path))

    assert done.returncode == 65
    assert done.stderr == f"error: there is no journal in {tmp_path}\n"


def test_doctor_names_a_remedy_for_what_is_wrong(budget: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "token").write_text("open")
    (tmp_path / "data" / "token").chmod(0o644)

    seen = budget("doctor", "--data-dir", str(tmp_path / "data"), "--url", NOBODY)

    assert seen.returncode == 1
    assert f"✗ {tmp_path}/data/token is open to other users\n    chmod 600" in seen.stdout
    assert f"! no daemon at {NOBODY}" in seen.stdout
    assert "✓ prices of " in seen.stdout
