"""Many operations in one request: they share a commit, and each has its own outcome.

They are asked through `asyncio.gather`: measured, a task of an anyio group costs three times
as much, and is most of what an operation in a batch costs. Hence the `noqa: TID251`.
"""

import asyncio  # noqa: TID251
from collections.abc import Coroutine
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field
from pydantic_core import to_json

from protocols.errors import BudgetError
from protocols.http.body import parse, read
from protocols.http.invalid import refuse, understood
from protocols.http.reply import mishap, respond
from protocols.http.routes import Handler
from protocols.http.settings import DoorSettings
from protocols.http.verb import Authenticate, Verb
from protocols.message import Caller, Request, Value


class Item(Value):
    """One operation of a batch. `body` has the fields of its path too."""

    operation: str
    body: dict[str, Any] = Field(default_factory=dict)
    idempotency_key: str | None = None


class Batch(Value):
    """Operations, each with its own outcome. They do not wait for each other."""

    operations: Annotated[list[Item], Field(min_length=1)]


def batch(verbs: dict[str, Verb], authenticate: Authenticate, settings: DoorSettings) -> Handler:
    posts = {name: verb for name, verb in verbs.items() if verb.operation.method == "POST"}

    async def handle(request: web.Request) -> web.StreamResponse:
        caller = authenticate(request.headers.get("Authorization"))
        items = _items(parse(await read(request, settings)), settings.batch_operations_max)
        outcomes = await _perform(items, posts, caller)
        return respond(b'{"results":[' + b",".join(outcomes) + b"]}")

    return handle


def _items(fields: dict[str, Any], most: int) -> list[Item]:
    items = understood(Batch, fields).operations
    if len(items) > most:
        raise refuse(
            {"field": "operations", "problem": f"there are {len(items)} of them",
             "remedy": f"send at most {most} at a time"}
        )  # fmt: skip
    return items


async def _perform(items: list[Item], posts: dict[str, Verb], caller: Caller) -> list[bytes]:
    """Understand all, then ask all at once: a refusal is one item's own outcome."""
    outcomes = [b""] * len(items)
    asked: list[int] = []
    asks: list[Coroutine[Any, Any, bytes]] = []
    for index, item in enumerate(items):
        try:
            asks.append(_ask(*_understood(item, posts, caller)))
            asked.append(index)
        except BudgetError as refusal:
            outcomes[index] = _refused(refusal)
    for index, outcome in zip(asked, await asyncio.gather(*asks), strict=True):
        outcomes[index] = outcome
    return outcomes


def _understood(
    item: Item, posts: dict[str, Verb], caller: Caller
) -> tuple[Verb, Request[Any], Caller]:
    verb = posts.get(item.operation)
    if verb is None:
        raise refuse(
            {"field": "operation", "problem": "there is no such operation",
             "remedy": f"write one of {', '.join(posts)}"}
        )  # fmt: skip
    verb.admit(caller)
    message = verb.understand(item.body)
    if item.idempotency_key is not None:
        path = verb.operation.path.format_map(item.body)
        caller = verb.keyed(caller, item.idempotency_key, path, to_json(item.body))
    return verb, message, caller


async def _ask(verb: Verb, message: Request[Any], caller: Caller) -> bytes:
    try:
        return _outcome(verb.operation.status, await verb.ask(message, caller))
    except BudgetError as refusal:
        return _refused(refusal)
    except Exception as bug:  # noqa: BLE001  # it must not take the others' answers with it
        return _refused(mishap(bug, f"batch: {verb.operation.name}"))


def _refused(refusal: BudgetError) -> bytes:
    return _outcome(refusal.status, to_json(refusal.problem()))


def _outcome(status: int, body: bytes) -> bytes:
    return b'{"status":%d,"body":%b}' % (status, body)
