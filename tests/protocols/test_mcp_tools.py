"""The tools as models see them: reviewed, small enough, and true to the operations behind them.

`UPDATE_SNAPSHOTS=1 python -m pytest tests/protocols/test_mcp_tools.py` writes the list anew.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from protocols.mcp.server import described, seen_by
from protocols.operations import OPERATIONS, Operation
from tests.protocols.door import RESERVE

SNAPSHOT = Path(__file__).parents[1] / "snapshots" / "tools.json"
TOOLS = [row for row in OPERATIONS if row.tool]
OF_A_COMPONENT = [row for row in TOOLS if "report" in seen_by(row)]


def shown(operation: Operation) -> dict[str, Any]:
    tool = described(operation)
    assert tool is not None
    return tool.model_dump(mode="json", by_alias=True, exclude_none=True)


def test_the_tools_are_the_ones_that_were_reviewed() -> None:
    text = json.dumps([shown(row) for row in TOOLS], indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(text, encoding="utf-8")

    assert text == SNAPSHOT.read_text(encoding="utf-8"), "UPDATE_SNAPSHOTS=1 writes it anew"


def test_a_model_that_spends_sees_a_dozen_tools_at_most() -> None:
    assert 7 <= len(OF_A_COMPONENT) <= 12


@pytest.mark.parametrize("operation", TOOLS, ids=lambda row: row.name)
def test_a_tool_has_a_name_every_client_takes_and_words_of_its_own(operation: Operation) -> None:
    tool = shown(operation)

    assert re.fullmatch("[a-z0-9_]{1,40}", tool["name"])
    assert 60 <= len(tool["description"]) <= 700
    assert tool["description"] != operation.request.__doc__
    for side in ("inputSchema", "outputSchema"):
        assert tool[side]["type"] == "object"
        Draft202012Validator.check_schema(tool[side])


@pytest.mark.parametrize("operation", TOOLS, ids=lambda row: row.name)
def test_the_hints_follow_from_what_the_operation_may_do(operation: Operation) -> None:
    hints = shown(operation)["annotations"]

    assert hints["readOnlyHint"] == (operation.role == "read")
    assert not (hints["readOnlyHint"] and hints["destructiveHint"])
    assert operation.tool is not None
    assert (operation.tool.question is not None) == (operation.role == "admin")


@pytest.mark.parametrize("operation", TOOLS, ids=lambda row: row.name)
def test_an_argument_is_a_field_of_the_request_and_nothing_is_left_out(
    operation: Operation,
) -> None:
    schema = shown(operation)["inputSchema"]
    keyed = {"idempotency_key"} if operation.keyed else set()

    assert set(schema["properties"]) == set(operation.request.model_fields) | keyed
    assert schema["additionalProperties"] is False


def test_the_schema_admits_what_the_operation_admits() -> None:
    schema = Draft202012Validator(shown(TOOLS[0])["inputSchema"])

    assert schema.is_valid(RESERVE | {"usd": "1.50", "idempotency_key": "a"})
    assert not schema.is_valid(RESERVE | {"usd": 1.5})
    assert not schema.is_valid(RESERVE | {"unknown": 1})
