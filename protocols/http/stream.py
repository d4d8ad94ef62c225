"""Operations without end over one request: NDJSON in, NDJSON out, so many under way at a time.

A line is an operation as in a batch, with an `id` of the caller's choice; its outcome comes as a
line with the same id as soon as it is on disk, whatever the order. Who does not read the outcomes
is not read from either.
"""

import re
from functools import partial

import anyio
from aiohttp import web
from pydantic_core import to_json

from protocols.errors import BudgetError, TooLarge, UnsupportedMedia
from protocols.http.body import parse
from protocols.http.invalid import understood
from protocols.http.item import Item, Performer, refused
from protocols.http.routes import Handler
from protocols.http.settings import DoorSettings
from protocols.http.verb import Authenticate
from protocols.message import Caller

STOP = web.AppKey("STOP", set["Flow"])
"""Flows that are to end when the door closes."""

_NDJSON = re.compile(r'application/x-ndjson(?:\s*;\s*charset="?utf-8"?)?', re.ASCII | re.IGNORECASE)
_HEADERS = {"Content-Type": "application/x-ndjson", "Server": "budget"}


class Line(Item):
    """An operation, and what its outcome is called."""

    id: str | int | None = None


def stream(performer: Performer, authenticate: Authenticate, settings: DoorSettings) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        caller = authenticate(request.headers.get("Authorization"))
        if not _NDJSON.fullmatch(request.headers.get("Content-Type", "")):
            raise UnsupportedMedia("send the lines with Content-Type: application/x-ndjson")
        if "Content-Encoding" in request.headers:
            raise UnsupportedMedia("send the body as it is, without Content-Encoding")
        flow = Flow(performer, caller, settings)
        flows = request.app[STOP]
        flows.add(flow)
        try:
            return await flow.run(request)
        finally:
            flows.discard(flow)

    return handle


async def stop_flows(app: web.Application) -> None:
    """When the door closes: what was taken is answered, no more is."""
    for flow in app[STOP]:
        flow.stop()


class Flow:
    """One caller's stream. What is put but not yet sent back is `open`."""

    def __init__(self, performer: Performer, caller: Caller, settings: DoorSettings) -> None:
        self._performer = performer
        self._caller = caller
        self._line_max = settings.body_bytes_max
        self._window = settings.stream_window
        self._open = 0
        self._told: list[bytes] = []
        self._news = anyio.Event()
        self._room = anyio.Event()
        self._reading = anyio.CancelScope()
        self._ended = False

    def stop(self) -> None:
        self._reading.cancel()

    async def run(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write, response)
            with self._reading:
                await self._read(request)
            self._ended = True
            self._news.set()
        return response

    async def _read(self, request: web.Request) -> None:
        rest = b""
        while chunk := await _chunk(request):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                await self._take(line)
            if len(rest) > self._line_max:
                error = TooLarge(f"a line may have at most {self._line_max} bytes")
                self._refuse(None, error)
                return
        await self._take(rest)

    async def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        while self._open >= self._window:
            self._room = anyio.Event()
            await self._room.wait()
        told: str | int | None = None
        try:
            if len(line) > self._line_max:
                raise TooLarge(f"a line may have at most {self._line_max} bytes")
            fields = parse(line)
            told = fields.get("id")
            item = understood(Line, fields)
        except BudgetError as refusal:
            self._refuse(told, refusal)
        else:
            self._open += 1
            self._performer.begin(item, self._caller, partial(self._tell, item.id))

    def _refuse(self, told: object, refusal: BudgetError) -> None:
        self._open += 1
        self._tell(told if isinstance(told, str | int) else None, refused(refusal))

    def _tell(self, told: str | int | None, outcome: bytes) -> None:
        self._told.append(b'{"id":%b,%b}\n' % (to_json(told), outcome))
        self._news.set()

    async def _write(self, response: web.StreamResponse) -> None:
        """Send what has come about; the caller who does not read it makes all wait."""
        while self._open or not self._ended:
            if not self._told:
                self._news = anyio.Event()
                await self._news.wait()
                continue
            told, self._told = self._told, []
            try:
                await response.write(b"".join(told))
            except ConnectionError:  # gone; what was put goes on, and its keys find it
                self._reading.cancel()
                return
            self._open -= len(told)
            self._room.set()


async def _chunk(request: web.Request) -> bytes:
    try:
        return await request.content.readany()
    except (web.RequestPayloadError, ConnectionError):
        return b""
