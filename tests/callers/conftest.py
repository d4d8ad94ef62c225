"""A daemon for one file, and clients that find nothing of this machine's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tekton_budget import AsyncBudgetClient, BudgetClient
from tests.daemon_process import Daemon, running


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("daemon")) as found:
        yield found


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    return tmp_path / "queue"


@pytest.fixture
def budget(daemon: Daemon, queue: Path) -> Iterator[BudgetClient]:
    with BudgetClient("caller", data_dir=daemon.data_dir, queue_dir=queue) as client:
        yield client


@pytest.fixture
def budget_later(daemon: Daemon, queue: Path) -> AsyncBudgetClient:
    return AsyncBudgetClient("caller", data_dir=daemon.data_dir, queue_dir=queue)
