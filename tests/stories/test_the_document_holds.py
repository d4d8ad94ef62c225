"""What OpenAPI says of every route is true of a real daemon: Schemathesis asks, right and wrong."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from protocols.openapi import document
from tests.daemon_process import Daemon, running
from tests.stories.words import CALL, made

EXAMPLES = int(os.environ.get("EXAMPLES", "6"))
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance, negative_data_rejection,
]  # fmt: skip
ROW_BY_ROW = "/api/v1/batch"
"""Answers 200 whatever became of each row: a wrong row is told of in its place."""
OPERATIONS = [
    (method, path)
    for path, methods in document("0")["paths"].items()
    for method in methods
    if "mcp" not in path
    and not path.startswith("/ws")
    and "shutdown" not in path
    and path != "/api/v1/stream"
]
"""MCP, websockets and the stream of operations say more than a document of routes can; their own
tests hold them to it."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("home")) as started:
        yield started
        made(started.post("/reservations", CALL | {"component": "after-all-that"}))


@pytest.fixture(scope="module")
def api(daemon: Daemon) -> Any:
    return schemathesis.openapi.from_url(f"{daemon.told['url']}/api/v1/openapi.json")


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_one_the_document_knows(
    daemon: Daemon, api: Any, method: str, path: str, mode: GenerationMode
) -> None:
    checks = [check for check in CHECKS if path != ROW_BY_ROW or check != negative_data_rejection]
    cases = api[path][method.upper()].as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases)
    def ask(case: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {daemon.token}"}
        case.validate_response(case.call(), checks=checks)

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "nothing can be asked rightly"
