"""A value with named, typed fields, as Apollo's models are: either spelling, checked when set."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Self, get_args, get_origin, get_type_hints


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda letter: f"_{letter[1].lower()}", name)


class Model:
    """Fields are the annotations; a value that does not fit raises ValueError naming the field."""

    kinds: ClassVar[Mapping[str, type[Enum]]] = {}
    """Fields that take one of an enumeration, and keep its plain value."""
    made: ClassVar[Mapping[str, Callable[[], Any]]] = {}
    """Defaults that are made anew each time."""

    def __init__(self, **given: Any) -> None:
        told = {snake(name): value for name, value in given.items()}
        for name in hints(type(self)):
            if name in told:
                setattr(self, name, told[name])
            elif name in self.made:
                setattr(self, name, self.made[name]())
            elif hasattr(type(self), name):
                setattr(self, name, getattr(type(self), name))
            else:
                raise ValueError(f"{type(self).__name__}.{name} is required")

    def __setattr__(self, name: str, value: Any) -> None:
        known = hints(type(self))
        if name not in known:
            raise ValueError(f"{type(self).__name__} has no field {name!r}")
        try:
            fitting = self._fitting(name, known[name], value)
        except (TypeError, ValueError) as problem:
            raise ValueError(f"{type(self).__name__}.{name}: {problem}") from None
        object.__setattr__(self, name, fitting)

    def _fitting(self, name: str, hint: Any, value: Any) -> Any:
        allowed = get_args(hint)
        if value is None and type(None) in allowed:
            return None
        if name in self.kinds:
            return self.kinds[name](getattr(value, "value", value)).value
        return fitting(allowed[0] if type(None) in allowed else hint, value)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({told})"

    def model_dump(self, *, mode: str = "python", by_alias: bool = False) -> dict[str, Any]:
        """Fields by name; `by_alias` in camelCase, mode `json` with times as text."""
        return {
            camel(name) if by_alias else name: (
                value.isoformat() if mode == "json" and isinstance(value, datetime) else value
            )
            for name, value in vars(self).items()
        }

    @classmethod
    def model_validate(cls, told: Mapping[str, Any]) -> Self:
        return cls(**told)


_HINTS: dict[str, dict[str, Any]] = {}


def hints(kind: type[Model]) -> dict[str, Any]:
    """The types of the fields by name, worked out once."""
    known = _HINTS.get(kind.__qualname__)
    if known is None:
        found = get_type_hints(kind)
        known = {name: found[name] for name in found if get_origin(found[name]) is not ClassVar}
        _HINTS[kind.__qualname__] = known
    return known


def fitting(kind: Any, value: Any) -> Any:
    """The value as this type, where nothing is lost by it."""
    if kind is datetime and isinstance(value, str):
        return datetime.fromisoformat(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is int and (isinstance(value, str) or (isinstance(value, float) and value % 1 == 0)):
        return int(value)
    bare = kind if isinstance(kind, type) else dict
    if not isinstance(value, bare) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"must be {bare.__name__}, not {value!r}")
    return value
