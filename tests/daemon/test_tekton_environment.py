"""Started as Tekton starts its components: by its launcher, under its variables and files."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from daemon.config import load
from daemon.tekton.environment import FROZEN, environment, read
from tekton_budget.find import default_data_dir
from tests.daemon_process import READY

HOME = {"HOME": "/home/ada"}
FILES = {
    "/home/ada/.env": "BUDGET_PORT=1\nBUDGET_HOST = '127.0.0.2'  # mine\nOPENAI_API_KEY=sk-x\n",
    "/opt/tekton/.env.tekton": '# ours\nexport BUDGET_PORT="2"\nTEKTON_DEBUG=true # loud\n',
    "/opt/tekton/.env.local": "BUDGET_PORT=3\nnot a line\n",
}


def under(**environ: str) -> dict[str, str]:
    return environment({**HOME, **environ}, lambda path: FILES.get(str(path)))


def test_each_file_goes_over_the_one_before_and_all_over_the_process() -> None:
    told = under(TEKTON_ROOT="/opt/tekton", BUDGET_PORT="0")

    assert told == {
        FROZEN: "1",
        "BUDGET_PORT": "3",
        "BUDGET_HOST": "127.0.0.2",
        "TEKTON_DEBUG": "true",
    }


def test_a_frozen_environment_is_left_as_it_is() -> None:
    assert under(TEKTON_ROOT="/opt/tekton", BUDGET_PORT="0", _TEKTON_ENV_FROZEN="1") == {}


def test_without_a_root_there_are_no_files() -> None:
    assert under(BUDGET_PORT="0") == {}


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"HERMES_PORT": "8101"}, "http://localhost:8101"),
        ({"HERMES_PORT": "8101", "TEKTON_HOST": "tekton.lan"}, "http://tekton.lan:8101"),
        ({"HERMES_HOST": "hermes.lan", "TEKTON_HOST": "tekton.lan"}, "http://hermes.lan:8001"),
    ],
)
def test_hermes_is_where_tektons_variables_say(environ: Mapping[str, str], url: str) -> None:
    assert under(**environ) == {"HERMES_URL": url}
    assert load(None, environ={**HOME, **under(**environ)}).hermes.url == url


def test_an_address_that_was_named_is_not_put_together() -> None:
    assert under(HERMES_URL="http://a:1/api", HERMES_PORT="2") == {}


def test_tektons_level_and_format_are_ours_where_we_have_none() -> None:
    assert under(TEKTON_LOG_LEVEL="WARN", TEKTON_LOG_FORMAT="json") == {
        "BUDGET_LOG_LEVEL": "warning",
        "BUDGET_DAEMON__LOG_FORMAT": "json",
    }
    assert under(TEKTON_LOG_LEVEL="WARN", BUDGET_LOG_LEVEL="info") == {}
    assert under(TEKTON_LOG_LEVEL="loud", TEKTON_LOG_FORMAT="compact") == {}


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({"TEKTON_DATA_DIR": "/data"}, "/data/budget"),
        ({"TEKTON_ROOT": "/opt/tekton"}, "/opt/tekton/.tekton/data/budget"),
        ({"TEKTON_ROOT": "/opt/tekton", "TEKTON_DATA_DIR": "/data"}, "/data/budget"),
        ({"TEKTON_DATA_DIR": "/data", "BUDGET_DATA_DIR": "/mine"}, "/mine"),
        ({}, "/home/ada/.local/share/tekton-budget"),
    ],
)
def test_daemon_and_callers_agree_on_the_data_directory(
    environ: Mapping[str, str], place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert str(load(None, environ={**HOME, **environ}).data_dir) == place
    assert str(default_data_dir({**HOME, **environ})) == place


def test_the_launchers_module_runs_the_daemon_as_the_files_say(
    environ: dict[str, str], tmp_path: Path
) -> None:
    root = tmp_path / "tekton"
    root.mkdir()
    (root / ".env.local").write_text("BUDGET_PORT=0\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "budget"],
        cwd=tmp_path,
        env=environ | {"TEKTON_ROOT": str(root), "BUDGET_PORT": "8013"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process, process.stderr as lines:
        ready = next(line for line in lines if READY in line)
        process.send_signal(signal.SIGTERM)
        lines.read()

    assert process.returncode == 0
    assert ":8013" not in ready
    assert (root / ".tekton" / "data" / "budget" / "token").exists()


def test_the_launchers_module_is_the_command_as_well(environ: dict[str, str]) -> None:
    command = [sys.executable, "-P", "-m", "budget", "--version"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)

    assert done.stdout.startswith("budget ")


def test_a_file_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xff")

    assert read(tmp_path / "absent") is None
    assert read(tmp_path / "binary") is None
