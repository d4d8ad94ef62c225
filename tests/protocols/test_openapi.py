"""The OpenAPI document: valid, complete, and the same as the one in review.

After a change that is meant: `UPDATE_SNAPSHOTS=1 python -m pytest tests/protocols/test_openapi.py`,
and look at the difference: it is what the users of the API will see.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from protocols.errors import BudgetError, every_error
from protocols.openapi import document
from protocols.operations import NOT_DERIVED, OPERATIONS, PREFIX, Operation

SNAPSHOT = Path(__file__).parents[1] / "snapshots" / "openapi.json"


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return document("0")


def described(spec: dict[str, Any], operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = spec["paths"][PREFIX + operation.path][operation.method.lower()]
    return found


def test_the_document_is_the_one_that_was_reviewed(spec: dict[str, Any]) -> None:
    text = json.dumps(spec, indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.parent.mkdir(exist_ok=True)
        SNAPSHOT.write_text(text, encoding="utf-8")

    assert text == SNAPSHOT.read_text(encoding="utf-8"), "UPDATE_SNAPSHOTS=1 writes it anew"


def test_the_document_is_valid(spec: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(spec).validate()


def test_every_route_is_described_and_none_that_is_not(spec: dict[str, Any]) -> None:
    routes = {(method.upper(), path) for path, on in spec["paths"].items() for method in on}

    derived = {(operation.method, PREFIX + operation.path) for operation in OPERATIONS}
    assert routes == derived | set(NOT_DERIVED)


def test_every_name_an_operation_has_is_its_own(spec: dict[str, Any]) -> None:
    names = [on[method]["operationId"] for on in spec["paths"].values() for method in on]

    assert len(names) == len(set(names))


def test_every_error_is_described(spec: dict[str, Any]) -> None:
    codes = {
        code
        for response in spec["components"]["responses"].values()
        for code in response["content"]["application/problem+json"]["schema"]["allOf"][1][
            "properties"
        ]["code"]["enum"]
    }

    assert codes == {*every_error(), BudgetError.code}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_places_each_field_once(spec: dict[str, Any], operation: Operation) -> None:
    found = described(spec, operation)
    places = [field["name"] for field in found["parameters"] if field["in"] != "header"]
    if operation.method == "POST":
        ref = found["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        places += spec["components"]["schemas"][ref.rpartition("/")[2]]["properties"]

    assert sorted(places) == sorted(operation.request.model_fields)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_has_words_a_reply_and_its_key(
    spec: dict[str, Any], operation: Operation
) -> None:
    found = described(spec, operation)
    headers = [field["name"] for field in found["parameters"] if field["in"] == "header"]

    assert found["summary"]
    assert str(operation.status) in found["responses"]
    assert headers == (["Idempotency-Key"] if operation.keyed else [])
    assert ("402" in found["responses"]) == operation.keyed
