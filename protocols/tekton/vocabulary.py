"""Serves Tekton's words: reads them, lets a speaker ask our operations, answers in its shapes."""

from collections.abc import Callable
from typing import Any

from aiohttp import web
from pydantic_core import to_json

from protocols.http import Authenticate, DoorSettings
from protocols.http.body import parse, read
from protocols.http.peer import peer
from protocols.http.reply import respond
from protocols.http.routes import TWINS as BESIDE
from protocols.http.routes import Handler, Twin
from protocols.http.verb import KEY_HEADER, Verb
from protocols.message import Ask, Caller
from protocols.operations import BY_NAME, OPERATIONS, PREFIX
from protocols.tekton.speaker import Speaker, Word
from protocols.tekton.words import TWINS, WORDS

Now = Callable[[], int]


class Vocabulary:
    """One for the daemon."""

    def __init__(
        self, ask: Ask, authenticate: Authenticate, settings: DoorSettings, now_ms: Now
    ) -> None:
        self.ask = ask
        self.authenticate = authenticate
        self.settings = settings
        self.now_ms = now_ms
        self.verbs = {operation.name: Verb(operation, ask) for operation in OPERATIONS}

    def add_routes(self, app: web.Application) -> None:
        for word in WORDS:
            app.router.add_route(word.method, PREFIX + word.path, self.handler(word))
        app[BESIDE] = {name: self.twin(name, word) for name, word in TWINS.items()}

    def handler(self, word: Word) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            caller = self.authenticate(request.headers.get("Authorization"))
            body = await read(request, self.settings)
            fields: dict[str, Any] = {**request.query, **parse(body), **request.match_info}
            return await self.answer(word, request, caller, fields, body)

        return handle

    def twin(self, operation: str, word: Word) -> Twin:
        ours = BY_NAME[operation].request.model_fields

        async def other(
            request: web.Request, caller: Caller, fields: dict[str, Any], body: bytes
        ) -> web.StreamResponse | None:
            if not word.is_meant(fields, ours):
                return None
            return await self.answer(word, request, caller, fields, body)

        return other

    async def answer(
        self,
        word: Word,
        request: web.Request,
        caller: Caller,
        fields: dict[str, Any],
        body: bytes,
    ) -> web.Response:
        key = request.headers.get(KEY_HEADER)
        speaker = Speaker(
            self.verbs,
            self.ask,
            caller.coming(f"tekton {peer(request)}"),
            self.now_ms(),
            None if key is None else (key, request.path, body),
        )
        return respond(to_json(await word.answer(speaker, word.understand(fields))), word.status)
