"""Reads counts out of a provider's object and remembers which fields were understood."""

from collections.abc import Iterator, Mapping

from protocols.errors import Invalid

COUNT_MAX = 10**12
NAME_MAX = 64


def wrong(field: str, problem: str, remedy: str) -> Invalid:
    """Refuse one field, in words and as data."""
    return Invalid(
        f"{field} {problem}",
        hint=remedy,
        errors=[{"field": field, "problem": problem, "remedy": remedy}],
    )


def checked(value: object, field: str) -> int:
    """Check that a value is a count. Absent and null are zero."""
    if value is None:
        return 0
    if type(value) is not int:
        problem = f"must be a whole number, not {type(value).__name__}"
        raise wrong(field, problem, "send the provider's own integer, without quotes or decimals")
    if value < 0:
        raise wrong(field, "is negative", "send the count as the provider gave it, 0 or more")
    if value > COUNT_MAX:
        raise wrong(field, f"is above {COUNT_MAX}", "send the usage of one call")
    return value


class Reader:
    """One mapping of the raw object. A field that is asked for counts as understood."""

    __slots__ = ("_parts", "_raw", "_seen", "path")

    def __init__(self, raw: Mapping[str, object], path: str = "usage") -> None:
        self._raw = raw
        self._seen: set[str] = set()
        self._parts: list[Reader] = []
        self.path = path

    def has(self, *names: str) -> bool:
        return any(self._raw.get(name) is not None for name in names)

    def count(self, *names: str) -> int:
        """Read the first of these names that is there; the others are its other spellings."""
        self.skip(*names)
        for name in names:
            if self._raw.get(name) is not None:
                return checked(self._raw[name], f"{self.path}.{name}")
        return 0

    def text(self, *names: str) -> str | None:
        self.skip(*names)
        for name in names:
            value = self._raw.get(name)
            if isinstance(value, str) and value:
                return value
        return None

    def value(self, name: str) -> object:
        self.skip(name)
        return self._raw.get(name)

    def part(self, *names: str) -> "Reader":
        """Open a nested object; an absent one reads as empty."""
        self.skip(*names)
        name = next((name for name in names if self._raw.get(name) is not None), names[0])
        value = self._raw.get(name)
        if value is not None and not isinstance(value, Mapping):
            raise wrong(f"{self.path}.{name}", "must be an object", "send it as it came")
        part = Reader(value or {}, f"{self.path}.{name}")
        self._parts.append(part)
        return part

    def rows(self, *names: str) -> "list[Reader]":
        """Open a nested list of objects; an absent one reads as empty."""
        self.skip(*names)
        name = next((name for name in names if self._raw.get(name) is not None), names[0])
        value = self._raw.get(name) or []
        field = f"{self.path}.{name}"
        rows = []
        for n, row in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(row, Mapping):
                raise wrong(field, "must be a list of objects", "send it as it came")
            rows.append(Reader(row, f"{field}[{n}]"))
        self._parts.extend(rows)
        return rows

    def skip(self, *names: str) -> None:
        """Understood, and without a price of its own."""
        self._seen.update(names)

    def look(self, name: str, within: str) -> bool:
        """Whether a nested object has this field, without reading either."""
        part = self._raw.get(name)
        return isinstance(part, Mapping) and part.get(within) is not None

    def forget(self, name: str) -> None:
        """Not understood after all: name it among the unread."""
        self._seen.discard(name)

    def unread(self) -> Iterator[str]:
        """Name, dotted, every field nobody asked for."""
        prefix = self.path.removeprefix("usage").removeprefix(".")
        for name, value in self._raw.items():
            if name not in self._seen and value is not None:
                yield f"{prefix}.{name}"[:NAME_MAX] if prefix else str(name)[:NAME_MAX]
        for part in self._parts:
            yield from part.unread()
