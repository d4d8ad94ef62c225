"""What is wrong with the fields of a request: each one, why, and what to write instead."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from protocols.errors import Invalid

V = TypeVar("V", bound=BaseModel)

ERRORS_MAX = 100
_SHOWN_MAX = 128

_REMEDIES = {
    "missing": "add it",
    "int_type": "write a whole number, without quotes or fraction",
    "int_parsing": "write a whole number",
    "int_parsing_size": "write a smaller number",
    "int_from_float": "write a whole number, without a fraction",
    "float_type": "write a number",
    "string_type": "write a string in quotes",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "dict_type": "write an object",
    "model_type": "write an object",
    "list_type": "write a list",
    "tuple_type": "write a list",
    "string_pattern_mismatch": "write a string that matches {pattern}",
    "string_too_long": "write at most {max_length} characters",
    "string_too_short": "write at least {min_length} characters",
    "too_long": "give at most {max_length} items",
    "greater_than_equal": "write {ge} or more",
    "greater_than": "write more than {gt}",
    "less_than_equal": "write {le} or less",
    "literal_error": "write one of {expected}",
    "value_error": "{error}",
    "own_name": "{remedy}",
}


def understood(wanted: type[V], fields: dict[str, Any]) -> V:
    """Make a value of its fields. Raises `Invalid`."""
    try:
        return wanted.model_validate(fields)
    except ValidationError as error:
        raise invalid(wanted, fields, error) from None


def invalid(wanted: type[BaseModel], fields: Mapping[str, Any], error: ValidationError) -> Invalid:
    """Gather all that pydantic found. The parts of a union are one error of one field."""
    wrong: dict[str, dict[str, str]] = {}
    for found in error.errors(include_url=False, include_input=False)[:ERRORS_MAX]:
        place = _place(found["loc"], fields)
        known = wrong.get(place)
        if known is not None:
            known["problem"] += f"; or {found['msg']}"
            continue
        context = found.get("ctx", {})
        remedy = _REMEDIES.get(found["type"], "see the problem").format_map(context)
        if found["type"] == "extra_forbidden":
            remedy = _did_you_mean(wanted, found["loc"])
        if not place and (named := _named(wanted, remedy)):
            place, remedy = named
        problem = "not accepted" if found["type"] == "value_error" else found["msg"]
        wrong[place] = {"field": place, "problem": problem, "remedy": remedy}
    return refuse(*wrong.values())


def refuse(*errors: dict[str, str]) -> Invalid:
    names = ", ".join(error["field"] or "the whole" for error in errors[:10])
    return Invalid(f"not valid: {names}", errors=list(errors))


def _place(loc: tuple[int | str, ...], fields: Mapping[str, Any]) -> str:
    """Show the path to a field as the caller wrote it, without pydantic's names of union parts."""
    parts: list[str] = []
    here: Any = fields
    for part in loc:
        if not isinstance(here, Mapping | list | tuple):
            break
        parts.append(str(part)[:_SHOWN_MAX])
        try:
            here = here[part]  # type: ignore[index]  # a list is asked by number, a mapping by name
        except (KeyError, IndexError, TypeError):
            break
    return ".".join(parts)


def _named(wanted: type[BaseModel], text: str) -> tuple[str, str] | None:
    """A message of the whole request begins with the field it is about: `until: it needs since`."""
    name, colon, rest = text.partition(": ")
    return (name, rest) if colon and name in wanted.model_fields else None


def _did_you_mean(wanted: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    names = _names(wanted, loc[:-1])
    close = get_close_matches(str(loc[-1])[:_SHOWN_MAX], names, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"remove it; known: {', '.join(names)}" if names else "remove it; there are no fields"


def _names(wanted: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """List the fields of the part of the message that the path leads to."""
    for part in path:
        field = wanted.model_fields.get(str(part))
        if field is None:
            return []
        inner = (field.annotation, *get_args(field.annotation))
        models = [kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if not models:
            return []
        wanted = models[0]
    return list(wanted.model_fields)
