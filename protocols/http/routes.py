"""One handler for each operation of the table."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from protocols.errors import Invalid, Malformed
from protocols.http.body import parse, read
from protocols.http.invalid import refuse
from protocols.http.peer import peer
from protocols.http.reply import respond
from protocols.http.settings import DoorSettings
from protocols.http.verb import KEY_HEADER, Authenticate, Verb
from protocols.message import Caller

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Twin = Callable[[web.Request, Caller, dict[str, Any], bytes], Awaitable[web.StreamResponse | None]]
TWINS = web.AppKey("TWINS", dict[str, Twin])
"""By operation: who may understand a body that it does not. None: neither does that one."""


def from_body(verb: Verb, authenticate: Authenticate, settings: DoorSettings) -> Handler:
    """Handle what brings its fields in a JSON body, and in the path."""
    status = verb.operation.status
    decides = verb.operation.role == "admin"

    async def handle(request: web.Request) -> web.StreamResponse:
        headers = request.headers
        caller = authenticate(headers.get("Authorization"))
        verb.admit(caller)
        if decides:
            caller = caller.coming(peer(request))
        body = await read(request, settings)
        fields = placed(request.match_info, parse(body), "body")
        if request.query_string:
            raise _no_query(request)
        try:
            message = verb.understand(fields)
        except Invalid:
            if (answer := await _by_the_twin(verb, request, caller, fields, body)) is None:
                raise
            return answer
        if (key := headers.get(KEY_HEADER)) is not None:
            caller = verb.keyed(caller, key, request.path, body)
        return respond(await verb.ask(message, caller), status)

    return handle


def from_query(verb: Verb, authenticate: Authenticate) -> Handler:
    """Handle what brings its fields in the query, and in the path."""
    status = verb.operation.status
    decides = verb.operation.role == "admin"

    async def handle(request: web.Request) -> web.StreamResponse:
        caller = authenticate(request.headers.get("Authorization"))
        verb.admit(caller)
        if decides:
            caller = caller.coming(peer(request))
        if request.body_exists:
            raise Malformed(f"{request.method} takes no body", hint="use query parameters")
        query = request.query
        fields = dict(query)
        if len(fields) != len(query):
            raise Malformed("the query has the same name twice")
        if "\0" in "".join(fields.values()):
            raise Malformed("the query has a value with U+0000")
        fields = placed(request.match_info, fields, "query")
        try:
            message = verb.understand(fields, strings=True)
        except Invalid:
            if (answer := await _by_the_twin(verb, request, caller, fields, b"")) is None:
                raise
            return answer
        return respond(await verb.ask(message, caller), status)

    return handle


async def _by_the_twin(
    verb: Verb, request: web.Request, caller: Caller, fields: dict[str, Any], body: bytes
) -> web.StreamResponse | None:
    twin = request.app.get(TWINS, {}).get(verb.operation.name)
    return None if twin is None else await twin(request, caller, fields, body)


def placed(path: Mapping[str, str], fields: dict[str, Any], where: str) -> dict[str, Any]:
    """Join the path's fields to the others; one that stands in both places is an error."""
    if path:
        twice = [
            {"field": name, "problem": f"it is in the path and in the {where}",
             "remedy": f"remove it from the {where}"}
            for name in path if name in fields
        ]  # fmt: skip
        if twice:
            raise refuse(*twice)
        fields.update(path)
    return fields


def _no_query(request: web.Request) -> Invalid:
    errors = [
        {"field": name, "problem": "there are no query parameters here",
         "remedy": "write it into the body"}
        for name in dict.fromkeys(request.query)
    ]  # fmt: skip
    return refuse(*errors)
