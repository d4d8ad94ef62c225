"""Values as a debug line shows them: their figures and names, in short, and no secret.

Nothing is shown by its own `repr`: a price book would be megabytes, and a prompt is nobody's
business. What is neither plain nor a message is shown by the name of its class.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import PurePath
from typing import Any, Final

from pydantic import BaseModel

from protocols.redact import escape, redact

TEXT_MAX: Final = 200
ITEMS_MAX: Final = 20
DEPTH_MAX: Final = 4
_SECRET_NAME = re.compile(r"secret|passw|credential|authori|api_?key|(^|[_-])token$", re.IGNORECASE)


def describe(value: object, depth: int = 0) -> Any:
    """Plain JSON values; what is deeper than `DEPTH_MAX` is only named."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Decimal | date | PurePath):
        value = str(value)
    if isinstance(value, str):
        return escape(redact(value[:TEXT_MAX])) + ("…" if len(value) > TEXT_MAX else "")
    if depth == DEPTH_MAX:
        return f"<{type(value).__name__}>"
    parts = _parts(value)
    if parts is not None:
        told = {name: _part(name, part, depth + 1) for name, part in islice(parts, ITEMS_MAX)}
        return told if isinstance(value, Mapping) else {"is": type(value).__name__, **told}
    if isinstance(value, tuple | list | set | frozenset):
        return [describe(item, depth + 1) for item in islice(value, ITEMS_MAX)]
    return f"<{type(value).__name__}>"


def _parts(value: object) -> Iterable[tuple[str, object]] | None:
    """The named parts of a value that has some, without those that are not for showing."""
    if isinstance(value, Mapping):
        return ((str(name)[:TEXT_MAX], part) for name, part in value.items())
    if isinstance(value, BaseModel):
        shown = type(value).model_fields.items()
        return ((name, getattr(value, name)) for name, field in shown if field.repr)
    if is_dataclass(value):
        return ((field.name, getattr(value, field.name)) for field in fields(value) if field.repr)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return zip(value._fields, value, strict=True)
    return None


def _part(name: str, value: object, depth: int) -> Any:
    return "[redacted]" if _SECRET_NAME.search(name) else describe(value, depth)
