"""What operations and pages share: refusals by status, common schemas, references."""

from protocols.errors import BudgetError, every_error
from protocols.operations import OPERATIONS
from protocols.schemas import KEY, Schema

SCHEMAS = "#/components/schemas/"
ALWAYS = frozenset({400, 401, 403, 404, 421, 422, 429, 500, 503})
WITH_BODY = frozenset({408, 413, 415})
WITH_HOLD = frozenset({402, 409})
_HEADERS: dict[int, tuple[str, str]] = {
    401: ("WWW-Authenticate", "Bearer"),
    402: ("x-should-retry", "false: a spent budget does not come back by asking again"),
    405: ("Allow", "the methods of this path"),
    429: ("Retry-After", "seconds"),
    503: ("Retry-After", "seconds"),
}


def refused(statuses: frozenset[int]) -> Schema:
    return {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)
    }


def refusals() -> Schema:
    """Describe every leaf of the tree of errors, by status."""
    by_status: dict[int, list[type[BudgetError]]] = {BudgetError.status: [BudgetError]}
    for leaf in every_error().values():
        by_status.setdefault(leaf.status, []).append(leaf)
    return {str(status): _refusal(status, by_status[status]) for status in sorted(by_status)}


def _refusal(status: int, leaves: list[type[BudgetError]]) -> Schema:
    codes = {"properties": {"code": {"enum": [leaf.code for leaf in leaves]}}}
    response: Schema = {
        "description": "; ".join(f"`{leaf.code}`: {leaf.title}" for leaf in leaves),
        "content": {"application/problem+json": {"schema": {"allOf": [ref("Problem"), codes]}}},
    }
    if status in _HEADERS:
        name, words = _HEADERS[status]
        response["headers"] = {name: {"description": words, "schema": {"type": "string"}}}
    return response


def common_schemas() -> Schema:
    """Write the schemas of what is not derived."""
    text: Schema = {"type": "string"}
    number: Schema = {"type": "integer"}
    problem = record(type=text, title=text, status=number, code=text, detail=text)
    problem["description"] = "RFC 9457. The figures of a refusal stand beside these fields."
    problem["properties"]["hint"] = text
    posts = [operation.name for operation in OPERATIONS if operation.method == "POST"]
    item = record(operation={"enum": posts}, body={"type": "object"})
    item["description"] = "`body` has the operation's fields, those of its path too."
    item["properties"]["idempotency_key"] = {"type": "string", "pattern": KEY}
    item["required"] = ["operation"]
    outcome = record(status=number, body={"type": "object"})
    return {
        "Problem": problem,
        "Batch": record(operations={"type": "array", "minItems": 1, "items": item}),
        "Outcomes": record(results={"type": "array", "items": outcome}),
        "Health": record(
            status={"enum": ["healthy", "degraded", "unhealthy"]},
            component=text,
            version=text,
            registered={"type": "boolean"},
        ),
    }


def record(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def content(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def ref(name: str) -> Schema:
    return {"$ref": SCHEMAS + name}
