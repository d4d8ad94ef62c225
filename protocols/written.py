"""A reply as the JSON that goes out and is kept: written in one place."""

from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter

from protocols.policy.standing import Standings

Write = Callable[[Any], bytes]
READY = "policies"
"""The field that may have its JSON already; it is then put at the end."""

_writers: dict[type[Any], Write] = {}


def writer(reply: type[Any]) -> Write:
    """What writes replies of this class; made once."""
    write = _writers.get(reply)
    if write is None:
        write = _writers[reply] = _made_for(reply)
    return write


def _made_for(reply: type[Any]) -> Write:
    write: Callable[..., bytes] = TypeAdapter(reply).serializer.to_json
    if READY not in getattr(reply, "__dataclass_fields__", ()):
        return write

    def put_together(answer: Any) -> bytes:
        if type(answer.policies) is not Standings:
            return write(answer)
        before = write(answer, exclude={READY})
        return b'%b,"policies":%b}' % (before[:-1], answer.policies.text.encode())

    return put_together
