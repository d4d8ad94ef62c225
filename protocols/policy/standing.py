"""Where every limit stands after a decision: written at once, read when somebody looks.

An answer to reserve names every limit that was looked at, and most go straight out as JSON. So
the policy engine writes the text from its whole numbers, and objects are made of it only for
those inside the daemon who ask for them.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Annotated, overload

from pydantic import PlainSerializer, TypeAdapter

from protocols.policy.charge import Standing

_LIST = TypeAdapter(list[Standing])


class Standings(Sequence[Standing]):
    """A list of `Standing` that has its JSON already."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _read(self) -> list[Standing]:
        return _LIST.validate_json(self.text)

    def __len__(self) -> int:
        return len(self._read)

    def __iter__(self) -> Iterator[Standing]:
        return iter(self._read)

    @overload
    def __getitem__(self, index: int) -> Standing: ...
    @overload
    def __getitem__(self, index: slice) -> list[Standing]: ...
    def __getitem__(self, index: int | slice) -> Standing | list[Standing]:
        return self._read[index]

    def __eq__(self, other: object) -> bool:
        return list(other) == self._read if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as a list has none

    def __repr__(self) -> str:
        return repr(self._read)


Shown = Annotated[Sequence[Standing], PlainSerializer(list, return_type=list[Standing])]
"""A field of an answer that lists standings."""
