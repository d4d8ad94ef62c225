"""The OpenAPI 3.1 document, derived from the table of operations.

Schemas come from the request and reply classes, words from their docstrings.
"""

from typing import Any, Literal

from pydantic import TypeAdapter

from protocols.errors import BudgetError, HoldEnded, every_error
from protocols.operations import OPERATIONS, PREFIX, Operation
from protocols.schemas import KEY, Schema, never_null, write_money

_SCHEMAS = "#/components/schemas/"
_ALWAYS = frozenset({400, 401, 403, 404, 421, 422, 429, 500, 503})
_WITH_BODY = frozenset({408, 413, 415})
_WITH_HOLD = frozenset({402, 409})
_HEADERS: dict[int, tuple[str, str]] = {
    401: ("WWW-Authenticate", "Bearer"),
    402: ("x-should-retry", "false: a spent budget does not come back by asking again"),
    405: ("Allow", "the methods of this path"),
    429: ("Retry-After", "seconds"),
    503: ("Retry-After", "seconds"),
}
_BRIDGE = "/api/mcp/v2"
_ASK = f"{PREFIX}/assistant"
_MODELS: dict[str, dict[str, tuple[str, str]]] = {
    _ASK: {"post": ("chat", "One message to the assistant, in the shape of Tekton's pages")},
    f"{_ASK}/analyze": {"post": ("analyze", "What was spent, in Tekton's shape")},
    f"{_ASK}/optimize": {"post": ("optimize", "What is wasted, in Tekton's shape")},
    f"{_ASK}/recommend-model": {"post": ("recommend_model", "Models for a workload, likewise")},
    "/mcp": {
        "post": ("mcp", "Model Context Protocol: one message, its answer or a stream"),
        "get": ("mcp_listen", "What is said unasked in a session of the protocol's older era"),
        "delete": ("mcp_end", "End a session of the protocol's older era"),
    },
    f"{_BRIDGE}/health": {"get": ("tekton_mcp_health", "Tekton's MCP: is it there?")},
    f"{_BRIDGE}/capabilities": {"get": ("tekton_mcp_capabilities", "Tekton's MCP: what it can")},
    f"{_BRIDGE}/tools": {"get": ("tekton_mcp_tools", "Tekton's MCP: its tools")},
    f"{_BRIDGE}/tools/list": {"post": ("tekton_mcp_tools_list", "The same list, asked by POST")},
    f"{_BRIDGE}/process": {"post": ("tekton_mcp_process", "Tekton's MCP: call a tool")},
    f"{_BRIDGE}/tools/call": {"post": ("tekton_mcp_call", "The same call under its other name")},
    "/mcp/tools": {"get": ("tekton_mcp_status", "The same list, where `tekton status` looks")},
}
"""What models and Tekton's components speak; what is inside is not HTTP's business."""

_STREAMS = {
    f"{PREFIX}/events": "Every event as a server-sent event; Last-Event-ID resumes",
    "/ws": "Every event in Tekton's envelope",
    "/ws/budget/updates": "What happens to budgets and policies, in Tekton's envelope",
    "/ws/budget/alerts": "Alerts as they are raised, acknowledged and ended",
    "/ws/budget/allocations": "What becomes of allocations",
    "/ws/budget/prices": "What becomes of prices and their sources",
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
            schemas[request], body["schema"] = body["schema"], _ref(request)
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
        "paths": paths | _written_by_hand() | _models(),
        "components": {
            "schemas": dict(sorted((schemas | _common_schemas()).items())),
            "responses": _refusals(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _derived_schemas() -> tuple[Schema, dict[str, tuple[str, str]]]:
    """Derive all schemas by name; and for each operation, the names of its request and reply."""
    inputs: list[tuple[str, Literal["validation", "serialization"], TypeAdapter[Any]]] = []
    for operation in OPERATIONS:
        inputs.append((operation.name, "validation", TypeAdapter(operation.request)))
        inputs.append((operation.name, "serialization", TypeAdapter(operation.reply)))
    refs, rest = TypeAdapter.json_schemas(inputs, ref_template=_SCHEMAS + "{model}")
    names = {key: schema["$ref"].removeprefix(_SCHEMAS) for key, schema in refs.items()}
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
    statuses = _ALWAYS | (_WITH_HOLD if operation.keyed else set())
    if "allocation_id" in operation.request.model_fields:
        statuses |= {HoldEnded.status}
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
        described["requestBody"] = {**_content(body), "required": "required" in body}
        statuses |= _WITH_BODY
    done = {str(operation.status): {"description": "done", **_content(_ref(reply))}}
    return described | {"responses": done | _refused(statuses)}


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


def _refused(statuses: frozenset[int]) -> Schema:
    return {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)
    }


def _refusals() -> Schema:
    """Describe every leaf of the tree of errors, by status."""
    by_status: dict[int, list[type[BudgetError]]] = {BudgetError.status: [BudgetError]}
    for leaf in every_error().values():
        by_status.setdefault(leaf.status, []).append(leaf)
    return {str(status): _refusal(status, by_status[status]) for status in sorted(by_status)}


def _refusal(status: int, leaves: list[type[BudgetError]]) -> Schema:
    codes = {"properties": {"code": {"enum": [leaf.code for leaf in leaves]}}}
    response: Schema = {
        "description": "; ".join(f"`{leaf.code}`: {leaf.title}" for leaf in leaves),
        "content": {"application/problem+json": {"schema": {"allOf": [_ref("Problem"), codes]}}},
    }
    if status in _HEADERS:
        name, words = _HEADERS[status]
        response["headers"] = {name: {"description": words, "schema": {"type": "string"}}}
    return response


def _common_schemas() -> Schema:
    """Write the schemas of what is not derived."""
    text: Schema = {"type": "string"}
    number: Schema = {"type": "integer"}
    problem = _object(type=text, title=text, status=number, code=text, detail=text)
    problem["description"] = "RFC 9457. The figures of a refusal stand beside these fields."
    problem["properties"]["hint"] = text
    posts = [operation.name for operation in OPERATIONS if operation.method == "POST"]
    item = _object(operation={"enum": posts}, body={"type": "object"})
    item["description"] = "`body` has the operation's fields, those of its path too."
    item["properties"]["idempotency_key"] = {"type": "string", "pattern": KEY}
    item["required"] = ["operation"]
    outcome = _object(status=number, body={"type": "object"})
    return {
        "Problem": problem,
        "Batch": _object(operations={"type": "array", "minItems": 1, "items": item}),
        "Outcomes": _object(results={"type": "array", "items": outcome}),
        "Health": _object(
            status={"enum": ["healthy", "degraded", "unhealthy"]},
            component=text,
            version=text,
            registered={"type": "boolean"},
        ),
    }


def _written_by_hand() -> Schema:
    """Describe the routes of `NOT_DERIVED`."""
    anything: Schema = {"type": "object"}
    batch = _page("batch", "Many operations in one request, each with its outcome", "Outcomes")
    batch["requestBody"] = {**_content(_ref("Batch")), "required": True}
    batch["responses"] |= _refused(_WITH_BODY | {400, 401, 403, 422})
    stream = _page("stream", "Operations without end; each outcome as it comes about", anything)
    lines: Schema = {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
    stream["requestBody"] = {**lines, "required": True}
    stream["responses"]["200"] |= lines
    stream["responses"] |= _refused(frozenset({400, 401, 415}))
    status = _page("status", "What runs here; to readers also actors, journal, prices", anything)
    status["responses"] |= _refused(frozenset({401, 403}))
    ready = _page("ready", "Can operations be served now?", anything)
    ready["responses"] |= _refused(frozenset({503}))
    health = _page("health", "How the daemon is. Always 200", "Health")
    version = _page("version", "What runs here", anything)
    openapi = _page("openapi", "This document", anything)
    root = _page("introduce", "Who this is", anything)
    discovery = _page("discovery", "Every route, and what the component can", anything)
    workflow = _page("workflow", "Has this component work to do? Tekton asks all", anything)
    workflow["requestBody"] = _content(anything)
    workflow["responses"] |= _refused(_WITH_BODY | {400})
    for page in (health, ready, version, openapi, root, discovery, workflow):
        page["security"] = []
    return {
        f"{PREFIX}/batch": {"post": batch},
        f"{PREFIX}/stream": {"post": stream},
        f"{PREFIX}/openapi.json": {"get": openapi},
        "/health": {"get": health},
        "/ready": {"get": ready},
        "/status": {"get": status},
        "/version": {"get": version},
        "/": {"get": root},
        f"{PREFIX}/discovery": {"get": discovery},
        "/shutdown": {"post": _shutdown("shutdown")},
        "/api/shutdown": {"post": _shutdown("shutdown_api")},
        "/workflow": {"post": workflow},
        **{path: {"get": _stream(path, words)} for path, words in _STREAMS.items()},
    }


def _models() -> Schema:
    return {
        path: {method: _page(*words, {}) for method, words in methods.items()}
        for path, methods in _MODELS.items()
    }


def _shutdown(name: str) -> Schema:
    page = _page(name, "Stop in order; what is under way is finished first", {"type": "object"})
    done = {"202": page["responses"]["200"]}
    return page | {"responses": done | _refused(frozenset({401, 403}))}


def _stream(path: str, words: str) -> Schema:
    """Describe a stream of events: server-sent ones under our prefix, else a websocket."""
    name = path.removeprefix(PREFIX).strip("/").replace("/", "_")
    sse = path.startswith(PREFIX)
    done = {"200": {"description": "events", "content": {"text/event-stream": {}}}}
    upgraded = {"101": {"description": "a websocket"}}
    text, yes_no = {"type": "string"}, {"type": "boolean"}
    query = {"after": text, "component": text, "type": text, "alerts": yes_no}
    return {
        "operationId": f"stream_{name}", "summary": words, "tags": ["events"], "x-role": "read",
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in query.items()
        ],
        "responses": (done if sse else upgraded) | _refused(frozenset({401, 403, 422})),
    }  # fmt: skip


def _page(name: str, summary: str, reply: str | Schema) -> Schema:
    schema = _ref(reply) if isinstance(reply, str) else reply
    done = {"200": {"description": "done", **_content(schema)}}
    return {"operationId": name, "summary": summary, "tags": ["daemon"], "responses": done}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _content(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> Schema:
    return {"$ref": _SCHEMAS + name}
