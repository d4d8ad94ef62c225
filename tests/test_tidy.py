"""House rules a linter cannot know: who may import whom, how long a file may be, no floats."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.errors import every_error
from tekton_budget.errors import BY_CODE

ROOT = Path(__file__).parent.parent
PACKAGES = ("protocols", "actors", "daemon", "tekton_budget", "budget")
SOURCES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
IO_LIBRARIES = {"aiosqlite", "sqlite3", "aiohttp", "mcp", "openai", "click"}
DOORS = (
    "protocols/http/",
    "protocols/tekton/",
    "protocols/mcp/",
    "protocols/openapi/",
    "protocols/page/",
    "protocols/operations.py",
)
ASYNCIO_ALLOWED = ("actors/runtime/", "actors/supervision/")
LINES_MAX = 300
FUNCTION_MAX = 40
BANNED_NAMES = {"utils", "common", "helpers", "manager", "misc"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def allowed(path: Path, module: str) -> bool:
    """Whether this file may import that module."""
    here, top = name(path), module.partition(".")[0]
    if here.startswith("protocols/") and top in ("actors", "daemon", "tekton_budget"):
        return False
    if here.startswith("actors/") and top in ("daemon", "tekton_budget", *IO_LIBRARIES):
        return False
    if here.startswith("actors/") and module.startswith(
        ("protocols.http", "protocols.mcp", "protocols.tekton", "protocols.openapi")
    ):
        return False
    if here.startswith("tekton_budget/"):
        return top in sys.stdlib_module_names or top == "tekton_budget"
    if here.startswith("protocols/") and not here.startswith(DOORS) and top in IO_LIBRARIES:
        return False
    return top != "pykka" or here.startswith(("actors/runtime", "actors/supervision"))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_imports_run_from_daemon_over_actors_to_protocols(path: Path) -> None:
    assert [module for module in imports(path) if not allowed(path, module)] == []


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("protocols/money.py", "actors.time"),
        ("protocols/http/verb.py", "actors.spine"),
        ("protocols/ledger.py", "aiohttp"),
        ("actors/time.py", "daemon.clock"),
        ("actors/time.py", "aiosqlite"),
        ("actors/spine.py", "protocols.http"),
        ("actors/spine.py", "protocols.mcp"),
        ("actors/spine.py", "protocols.tekton"),
        ("actors/spine.py", "pykka"),
        ("daemon/run.py", "pykka"),
        ("tekton_budget/__init__.py", "protocols.money"),
        ("tekton_budget/client.py", "aiohttp"),
    ],
)
def test_each_import_rule_can_fail(path: str, module: str) -> None:
    assert not allowed(ROOT / path, module)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_says_what_it_is_for_and_stays_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    module = ast.parse(text)

    assert ast.get_docstring(module), "no docstring"
    assert len(text.splitlines()) <= LINES_MAX
    assert path.stem not in BANNED_NAMES
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            assert length <= FUNCTION_MAX, f"{node.name} has {length} lines"


@pytest.mark.parametrize(
    "path",
    [p for p in SOURCES if "protocols/prices" in name(p) or p.stem in ("money", "costing")],
    ids=name,
)
def test_no_float_touches_money_or_rates(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
        assert not (isinstance(node, ast.Name) and node.id == "float")


def test_every_code_of_the_daemon_is_a_class_of_the_client() -> None:
    """`tekton_budget/errors.py` imports nothing of ours, so it says them again."""
    assert BY_CODE.keys() == every_error().keys()


def test_no_cycle_of_asks_between_actors() -> None:
    """Nobody inside awaits an answer: only the doors' way in and the flush use `ask`."""
    asking = [
        name(path)
        for path in SOURCES
        if name(path).startswith("actors/")
        and any(
            isinstance(node, ast.Attribute) and node.attr == "ask"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    ]

    assert asking == ["actors/spine.py"]
