"""JSON as prices need it: decimals exact, no key twice, every number a number."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

from actors.ports import SourceFailed

MODELS_MIN = 20
"""A price list with fewer models is a mistake, not a price list."""


def parse(text: bytes) -> Any:
    """Raises SourceFailed for what is not JSON, or not JSON that one may believe."""
    try:
        return json.loads(
            text, parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_once
        )
    except (ValueError, RecursionError, ArithmeticError) as error:
        start = text[:60].decode(errors="replace").strip()
        looks = "HTML" if start.lower().startswith(("<!doctype", "<html")) else repr(start)
        raise SourceFailed(f"not a JSON file: {error}; it begins with {looks}") from error


def table(told: object, what: str) -> Mapping[str, Any]:
    """The value as an object. Raises SourceFailed."""
    if not isinstance(told, dict):
        raise SourceFailed(f"{what} should be an object, not {type(told).__name__}")
    return told


def rows(told: object, what: str) -> list[Any]:
    """The value as a list. Raises SourceFailed."""
    if not isinstance(told, list):
        raise SourceFailed(f"{what} should be a list, not {type(told).__name__}")
    return told


def enough(offers: int, at_least: int = MODELS_MIN) -> None:
    """Raises SourceFailed for a file that prices next to nothing."""
    if offers < at_least:
        raise SourceFailed(f"it prices {offers} models; a price list has {at_least} or more")


def unbelievable(value: object) -> str | None:
    """Why a value that is there cannot be a rate: negative, or no number at all."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return f"{value!r} is not a number"
    if value < 0:
        return f"{value} is negative"
    return None


def why(error: Exception) -> str:
    """Why a row is refused, in words: ours where we said it, else what went wrong."""
    return str(error) if type(error) is ValueError else f"not understood: {error!r}"


class Twice:
    """What stands where one object names a key twice and differently: nobody's value."""

    def __repr__(self) -> str:
        return "two different values under one key"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        for key, value in pairs:
            if found[key] != value:
                found[key] = Twice()
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
