"""One operation among many, as batches and streams bring them: put, and its outcome told."""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pydantic import Field
from pydantic_core import to_json

from protocols.errors import BudgetError
from protocols.http.invalid import refuse
from protocols.http.reply import mishap
from protocols.http.settings import PREFIX
from protocols.http.verb import Verb
from protocols.message import Caller, Put, Request, Value

Tell = Callable[[bytes], None]
"""Gets an outcome: status and body, as the members of a JSON object."""


_TINY = re.compile(rb"0\.0000|\de-\d")
"""May be a number that JSON's writers do not all write alike: 0.00001 or 1e-05."""
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Item(Value):
    """One operation. `body` has the fields of its path too."""

    operation: str
    body: dict[str, Any] = Field(default_factory=dict)
    idempotency_key: str | None = None


class Performer:
    """Puts items to whoever hears them, without waiting for any."""

    def __init__(self, verbs: Mapping[str, Verb], put: Put) -> None:
        self._posts = {n: verb for n, verb in verbs.items() if verb.operation.method == "POST"}
        self._put = put

    def begin(self, item: Item, caller: Caller, tell: Tell) -> None:
        """A refusal is the item's own outcome, told at once or later."""
        try:
            verb, message, asker = self._understood(item, caller)
            done = partial(_done, verb, tell)
            self._put(verb.address(message, asker), message, asker, done)
        except BudgetError as refusal:
            tell(refused(refusal))

    def _understood(self, item: Item, caller: Caller) -> tuple[Verb, Request[Any], Caller]:
        verb = self._posts.get(item.operation)
        if verb is None:
            raise refuse(
                {"field": "operation", "problem": "there is no such operation",
                 "remedy": f"write one of {', '.join(self._posts)}"}
            )  # fmt: skip
        verb.admit(caller)
        message = verb.understand(item.body)
        if item.idempotency_key is not None:
            path, body = as_request(verb, item.body)
            caller = verb.keyed(caller, item.idempotency_key, path, body)
        return verb, message, caller


def as_request(verb: Verb, fields: dict[str, Any]) -> tuple[str, bytes]:
    """Path and body of the same operation sent by itself, written without a space.

    So a key means the same through every door: what was asked there may be asked again here.
    """
    placed = verb.operation.path_fields
    told = {name: fields[name] for name in fields if name not in placed} if placed else fields
    body = to_json(told)
    if _TINY.search(body):
        body = _compact(told).encode()
    return PREFIX + verb.operation.path.format_map(fields), body


def refused(refusal: BudgetError) -> bytes:
    return _outcome(refusal.status, to_json(refusal.problem()))


def _done(verb: Verb, tell: Tell, reply: object) -> None:
    """It is called by whoever finished the work, who must not suffer."""
    if isinstance(reply, BudgetError):
        tell(refused(reply))
        return
    try:
        if isinstance(reply, Exception):
            raise reply  # noqa: TRY301  # a bug of somebody else's goes the same way as ours
        outcome = _outcome(verb.operation.status, verb.write(reply))
    except Exception as bug:  # noqa: BLE001  # it must not take the others' answers with it
        outcome = refused(mishap(bug, f"one of many: {verb.operation.name}"))
    tell(outcome)


def _outcome(status: int, body: bytes) -> bytes:
    return b'"status":%d,"body":%b' % (status, body)
