"""The documentation cannot drift: pages are generated, words and links are checked."""

import os
import re
import tomllib
from pathlib import Path

import pytest

from protocols.operations import NOT_DERIVED, OPERATIONS
from protocols.tekton.routes import ROUTES
from tests.reference import pages

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", ["operations.md", "errors.md", "settings.md"])
def test_the_reference_says_what_the_code_does(page: str) -> None:
    path, text = ROOT / "docs" / "reference" / page, pages()[page]
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere_and_a_page_has_one_title(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (path.parent / target).exists(), target

    outside_code = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert len(re.findall(r"^# ", outside_code, flags=re.MULTILINE)) == 1


def test_the_glossary_knows_the_words_of_the_house() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    for word in ("hold", "settle", "entry", "window", "axis", "allocation", "overrun", "late"):
        assert f"**{word}**" in glossary


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    reasons = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    extras = [need for needs in project["optional-dependencies"].values() for need in needs]
    for need in [*project["dependencies"], *extras]:
        assert re.split(r"[\[<>=]", need)[0] in reasons, need


def test_the_readme_has_one_command_to_run_and_one_to_test() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first_screen = readme.splitlines()[:24]

    assert sum(line.endswith("budget demo") for line in first_screen) == 1
    assert sum(line.endswith("-m pytest") for line in first_screen) == 1


def test_verbs_are_derived_but_for_a_counted_few() -> None:
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
    assert len(NOT_DERIVED) == 35 + len(ROUTES)
