"""Our import names are ours alone, and the wheel has what the daemon needs."""

from importlib.metadata import packages_distributions
from importlib.resources import files

import pytest


@pytest.mark.parametrize("package", ["protocols", "actors", "daemon", "tekton_budget", "budget"])
def test_nobody_else_owns_our_import_names(package: str) -> None:
    owners = set(packages_distributions().get(package, []))

    assert owners <= {"tekton-budget"}


@pytest.mark.parametrize(
    "path",
    [
        "prices/book.json",
        "prices/abilities.json",
        "prices/NOTICE",
        "journal/migrations/0001_journal.sql",
    ],
)
def test_what_the_daemon_reads_is_part_of_the_package(path: str) -> None:
    assert files("daemon").joinpath(*path.split("/")).is_file()
