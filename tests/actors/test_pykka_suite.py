"""pykka's own test suite holds for our actors exactly as for pykka's.

The suite comes from the package index, in the version that is installed; no part of it is kept in
this repository. It runs in a process of its own: it is synchronous, and it stops all actors.
"""

import os
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


@pytest.fixture
def suite(pytestconfig: pytest.Config, tmp_path: Path) -> Path:
    """Pykka's source distribution, unpacked; downloaded once and kept in pytest's cache."""
    name = f"pykka-{version('pykka')}"
    assert pytestconfig.cache is not None
    kept = pytestconfig.cache.mkdir("pykka")
    archive = kept / f"{name}.tar.gz"
    if not archive.exists():
        download(name.replace("-", "=="), to=kept)
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    return tmp_path / name


def download(requirement: str, *, to: Path) -> None:
    options = ["--no-deps", "--no-binary", "pykka", "--quiet", "--dest", str(to)]
    pip = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, requirement],
        capture_output=True,
        text=True,
        check=False,
    )
    if pip.returncode:
        pytest.skip(f"cannot get the source of {requirement}: {pip.stderr.strip()[-200:]}")


def passed(report: Path, runtime: str) -> int:
    """How many tests passed for a runtime; its name stands first in the brackets."""
    cases = [case for case in ET.parse(report).iter("testcase") if len(case) == 0]
    ids = [case.attrib["name"].partition("[")[2].rstrip("]").split("-") for case in cases]
    return sum(runtime in parts for parts in ids)


def test_our_actors_pass_every_test_that_pykkas_own_pass(suite: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    paths = os.pathsep.join([str(HERE), str(ROOT)])

    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "pykka_suite_plugin",
            f"--junitxml={report}",
            "tests",
        ],
        cwd=suite,
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert 100 < passed(report, "threading") == passed(report, "loop")
