"""A daemon on a disk that fails when told to."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon_process import Daemon
from tests.faults.disk import Disk, build
from tests.harness.callers import CONFIG


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler to build the library that lets the disk fail")
    return build(tmp_path_factory.mktemp("iofault"))


@pytest.fixture
def disk(library: Path, tmp_path: Path) -> Disk:
    return Disk(library, tmp_path, tmp_path / "data")


@pytest.fixture
def daemon(disk: Disk, tmp_path: Path) -> Iterator[Daemon]:
    """Not started yet; when the test is over, it is gone."""
    daemon = Daemon(tmp_path, CONFIG)
    daemon.extra = disk.environ
    yield daemon
    if daemon.started and daemon.alive:
        daemon.kill()
