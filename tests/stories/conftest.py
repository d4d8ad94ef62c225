"""A daemon for each file of stories, and a component of its own for each story."""

import re
from collections.abc import Iterator

import pytest

from daemon.journal.verify import verify
from tests.daemon_process import Daemon, running

CONFIG = """
[holds]
sweep_s = 0.05

[limits]
body_s = 0.5
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """When the file's stories are told, it stops in order and its journal adds up."""
    with running(tmp_path_factory.mktemp("home"), CONFIG) as started:
        yield started
        assert started.stop() == 0
        assert verify(started.data_dir).problems == []


@pytest.fixture
def me(request: pytest.FixtureRequest) -> str:
    """A component nobody else is, so that stories on one daemon do not meet."""
    name: str = request.node.name
    return re.sub(r"[^A-Za-z0-9._:/@-]", "-", name)[-128:]
