"""Many operations in one request: they share a commit, and each has its own outcome."""

from functools import partial
from typing import Annotated, Any

import anyio
from aiohttp import web
from pydantic import Field

from protocols.http.body import parse, read
from protocols.http.invalid import refuse, understood
from protocols.http.item import Item, Performer
from protocols.http.reply import respond
from protocols.http.routes import Handler
from protocols.http.settings import DoorSettings
from protocols.http.verb import Authenticate
from protocols.message import Caller, Value


class Batch(Value):
    """Operations, each with its own outcome. They do not wait for each other."""

    operations: Annotated[list[Item], Field(min_length=1)]


def batch(performer: Performer, authenticate: Authenticate, settings: DoorSettings) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        caller = authenticate(request.headers.get("Authorization"))
        items = _items(parse(await read(request, settings)), settings.batch_operations_max)
        outcomes = await _perform(items, performer, caller)
        return respond(b'{"results":[{' + b"},{".join(outcomes) + b"}]}")

    return handle


def _items(fields: dict[str, Any], most: int) -> list[Item]:
    items = understood(Batch, fields).operations
    if len(items) > most:
        raise refuse(
            {"field": "operations", "problem": f"there are {len(items)} of them",
             "remedy": f"send at most {most} at a time"}
        )  # fmt: skip
    return items


async def _perform(items: list[Item], performer: Performer, caller: Caller) -> list[bytes]:
    """Put all before any is answered: no task and no future for each."""
    outcomes = [b""] * len(items)
    left, complete = len(items), anyio.Event()

    def tell(index: int, outcome: bytes) -> None:
        nonlocal left
        outcomes[index] = outcome
        left -= 1
        if not left:
            complete.set()

    for index, item in enumerate(items):
        performer.begin(item, caller, partial(tell, index))
    await complete.wait()
    return outcomes
