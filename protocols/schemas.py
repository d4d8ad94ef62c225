"""JSON schemas of what may be asked and answered, derived from the classes themselves."""

from typing import Any

from pydantic import TypeAdapter

from protocols.money import PATTERN as MONEY
from protocols.money import show_usd
from protocols.operations import Operation

Schema = dict[str, Any]

KEY = "^[!-~]{1,255}$"
"""What an Idempotency-Key may be."""
IDEMPOTENCY_KEY = "idempotency_key"

_NAMED = frozenset({"properties", "$defs"})


def write_money(schema: Schema) -> None:
    """Show the default of a sum in a request as it is written, not as it is held inside."""
    for field in schema.get("properties", {}).values():
        if field.get("pattern") == MONEY and isinstance(field.get("default"), int):
            field["default"] = show_usd(field["default"])


def never_null(field: Schema) -> Schema:
    """Take null away: a parameter is there or not."""
    options = [option for option in field.get("anyOf", ()) if option.get("type") != "null"]
    if not options:
        return field
    kept = {key: value for key, value in field.items() if key not in {"anyOf", "default"}}
    return kept | (options[0] if len(options) == 1 else {"anyOf": options})


def arguments(operation: Operation) -> Schema:
    """What a tool takes: all fields of the request, and the key where there is one."""
    schema: Schema = _slim(TypeAdapter(operation.request).json_schema(mode="validation"))
    schema.setdefault("properties", {})
    for part in (schema, *schema.get("$defs", {}).values()):
        write_money(part)
        part["properties"] = {name: never_null(field) for name, field in part["properties"].items()}
    del schema["description"]
    if operation.keyed:
        schema["properties"][IDEMPOTENCY_KEY] = {
            "type": "string",
            "pattern": KEY,
            "description": "the same key and arguments give the first answer again",
        }
    return schema


def answer(operation: Operation) -> Schema:
    """What a tool answers."""
    schema: Schema = _slim(TypeAdapter(operation.reply).json_schema(mode="serialization"))
    return schema


def _slim(node: Any, *, named: bool = False) -> Any:
    """Leave out titles that only repeat a name: a model pays for each word."""
    if isinstance(node, list):
        return [_slim(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _slim(part, named=not named and key in _NAMED)
        for key, part in node.items()
        if named or key != "title"
    }
