"""The document: every operation of the table, then what is written by hand."""

from typing import Any, Literal

from pydantic import TypeAdapter

from protocols.errors import HoldEnded, InUse, Overtaken
from protocols.openapi.pages import add_tektons, models, written_by_hand
from protocols.openapi.parts import (
    ALWAYS,
    SCHEMAS,
    WITH_BODY,
    WITH_HOLD,
    common_schemas,
    content,
    ref,
    refusals,
    refused,
)
from protocols.operations import OPERATIONS, PREFIX, Operation
from protocols.schemas import KEY, Schema, never_null, write_money

_CONFLICTS = {
    "remove_budget": {InUse.status},
    "apply_proposal": {Overtaken.status},
    "dismiss_proposal": {Overtaken.status},
}


def document(version: str) -> Schema:
    """Derive the whole document, as plain JSON values."""
    schemas, names = _derived_schemas()
    paths: dict[str, Schema] = {}
    for operation in OPERATIONS:
        request, reply = names[operation.name]
        path = paths.setdefault(PREFIX + operation.path, {})
        path[operation.method.lower()] = _operation(operation, schemas.pop(request), reply)
        if operation.method == "POST":
            body = path["post"]["requestBody"]["content"]["application/json"]
            schemas[request], body["schema"] = body["schema"], ref(request)
    add_tektons(paths)
    info = {
        "title": "Tekton Budget",
        "version": version,
        "summary": "Decides before a language model is called whether the money is there",
        "license": {"name": "MIT", "identifier": "MIT"},
    }
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": "http://127.0.0.1:8013"}],
        "security": [{"token": []}],
        "paths": paths | written_by_hand() | models(),
        "components": {
            "schemas": dict(sorted((schemas | common_schemas()).items())),
            "responses": refusals(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _derived_schemas() -> tuple[Schema, dict[str, tuple[str, str]]]:
    """Derive all schemas by name; and for each operation, the names of its request and reply."""
    inputs: list[tuple[str, Literal["validation", "serialization"], TypeAdapter[Any]]] = []
    for operation in OPERATIONS:
        inputs.append((operation.name, "validation", TypeAdapter(operation.request)))
        inputs.append((operation.name, "serialization", TypeAdapter(operation.reply)))
    refs, rest = TypeAdapter.json_schemas(inputs, ref_template=SCHEMAS + "{model}")
    names = {key: schema["$ref"].removeprefix(SCHEMAS) for key, schema in refs.items()}
    pairs = {
        name: (names[name, "validation"], names[name, "serialization"])
        for name in dict.fromkeys(name for name, _, _ in inputs)
    }
    schemas: Schema = rest["$defs"]
    for schema in schemas.values():
        write_money(schema)
    return schemas, pairs


def _operation(operation: Operation, request: Schema, reply: str) -> Schema:
    words = (operation.request.__doc__ or "").strip()
    statuses = ALWAYS | (WITH_HOLD if operation.keyed else set())
    if "allocation_id" in operation.request.model_fields:
        statuses |= {HoldEnded.status}
    statuses |= _CONFLICTS.get(operation.name, set())
    described: Schema = {
        "operationId": operation.name,
        "summary": words.partition(". ")[0].rstrip("."),
        "description": words,
        "tags": [operation.path.split("/")[1]],
        "x-role": operation.role,
        "parameters": _parameters(operation, request),
    }
    if operation.method == "POST":
        body = _without(request, operation.path_fields)
        described["requestBody"] = {**content(body), "required": "required" in body}
        statuses |= WITH_BODY
    done = {str(operation.status): {"description": "done", **content(ref(reply))}}
    return described | {"responses": done | refused(statuses)}


def _parameters(operation: Operation, request: Schema) -> list[Schema]:
    """List what comes in the path, in the query where there is no body, and the key."""
    in_path = operation.path_fields
    found = []
    for name, field in request.get("properties", {}).items():
        if name in in_path or operation.method != "POST":
            where = "path" if name in in_path else "query"
            required = name in request.get("required", ())
            schema = never_null(field)
            found.append({"name": name, "in": where, "required": required, "schema": schema})
    if operation.keyed:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "same key and same body: the same answer; another body: 422",
                "schema": {"type": "string", "pattern": KEY},
            }
        )
    return found


def _without(request: Schema, names: tuple[str, ...]) -> Schema:
    """Make the schema of the body: the request without the fields of its path."""
    properties = {
        name: field for name, field in request.get("properties", {}).items() if name not in names
    }
    required = [name for name in request.get("required", ()) if name not in names]
    kept = {key: value for key, value in request.items() if key != "required"}
    return kept | {"properties": properties} | ({"required": required} if required else {})
