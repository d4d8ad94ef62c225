"""`budget tekton`, as a person and Hephaestus use it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.conftest import Run
from tests.daemon_process import Daemon, running
from tests.harness.hermes import fake_hermes


@pytest.fixture
def registered(tmp_path: Path) -> Iterator[Daemon]:
    with fake_hermes() as hermes:
        config = f'[holds]\nsweep_s = 0.05\n[hermes]\nurl = "{hermes.url}"\nheartbeat_s = 0.2\n'
        with running(tmp_path, config) as daemon:
            hermes.wait_for("POST /api/heartbeat 200", "POST /api/heartbeat 200")
            yield daemon


def test_it_tells_of_our_place_at_hermes(registered: Daemon, budget: Run) -> None:
    env = {"BUDGET_DATA_DIR": str(registered.data_dir)}
    done = budget("tekton", "status", env=env)

    assert done.returncode == 0, done.stderr
    assert "registered as budget" in done.stdout
    told = json.loads(budget("tekton", "status", "-o", "json", env=env).stdout)
    assert (told["registered"], told["failures"]) == (True, 0)


def test_without_a_hermes_it_says_how_to_name_one(tmp_path: Path, budget: Run) -> None:
    with running(tmp_path) as daemon:
        done = budget("tekton", "status", env={"BUDGET_DATA_DIR": str(daemon.data_dir)})

    assert done.returncode == 1
    assert "HERMES_URL" in done.stdout


def test_the_descriptor_is_an_entry_of_hephaestus_registry(budget: Run) -> None:
    done = budget("tekton", "ui-descriptor")
    entry = json.loads(done.stdout)

    assert done.returncode == 0
    assert entry.keys() >= {
        "id", "name", "description", "icon", "defaultMode", "capabilities", "componentPath",
        "scripts", "styles", "usesShadowDom",
    }  # fmt: skip
    assert entry["id"] == "budget"
