"""The doors of the outbox: server-sent events, and Tekton's websockets.

    GET /api/v1/events?after=120                          for `curl`, the page, `budget events`
    /ws                                                   Tekton's envelope, every topic
    /ws/budget/{updates,alerts,allocations,prices}        one; more by a `subscription` message

Who cannot send an Authorization header may open a websocket with an `authentication` message.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
from aiohttp import WSCloseCode, web

from protocols.errors import BudgetError, Busy, Unauthenticated
from protocols.feed import Feed, Frame
from protocols.http.connection import when_hung_up
from protocols.http.patience import Patience
from protocols.http.reading import Reading, begin, wanted
from protocols.http.settings import PREFIX, DoorSettings
from protocols.http.talk import Talk
from protocols.http.verb import Authenticate, check_role, roles_from
from protocols.letter import ALERTS, ALLOCATIONS, PRICES, TOPICS, UPDATES
from protocols.message import Ask, Caller

SOCKETS = {
    "/ws": TOPICS,
    "/ws/budget/updates": (UPDATES,),
    "/ws/budget/alerts": (ALERTS,),
    "/ws/budget/allocations": (ALLOCATIONS,),
    "/ws/budget/prices": (PRICES,),
}

log = logging.getLogger("budget.http")

TOO_SLOW = "a reader of events, %s, does not take them: its stream is closed"
MESSAGE_BYTES_MAX = 16_384
PING_S = 30.0
"""After so long, and half as long again without an answer, a websocket is dead."""
_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "Server": "budget",
}
_READERS = roles_from("read")
_RETRY = b"retry: 2000\n\n"
"""How long a browser waits before it comes back, in milliseconds."""
_ALIVE = b": still here\n\n"


class Streams:
    """All open streams. Each ends when its reader leaves, loses the right, is slow, or we stop."""

    def __init__(
        self,
        ask: Ask,
        authenticate: Authenticate,
        feed: Feed,
        settings: DoorSettings,
        now_ms: Callable[[], int],
    ) -> None:
        self._ask = ask
        self._authenticate = authenticate
        self._feed = feed
        self._settings = settings
        self._now_ms = now_ms
        self._patience = Patience(feed, settings)
        self._open: dict[anyio.CancelScope, str | None] = {}
        """Whose each stream is, once that is known."""

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{PREFIX}/events", self.events)
        for path in SOCKETS:
            app.router.add_get(path, self.socket)
        app.on_shutdown.append(self._close)

    async def _close(self, _: web.Application) -> None:
        """Readers come back by themselves and go on where they were."""
        for scope in list(self._open):
            scope.cancel()

    def end(self, name: str) -> None:
        """The token of this caller has ended, and with it whatever it was reading."""
        for scope, whose in list(self._open.items()):
            if whose == name:
                scope.cancel()

    def _check_room(self, whose: str | None) -> None:
        """Raises `Busy`."""
        most, each = self._settings.streams_max, self._settings.streams_each_max
        if len(self._open) >= most:
            raise Busy(f"{most} streams are open", hint="close one", retry_after_s=1)
        if sum(one == whose for one in self._open.values()) >= each:
            who = "callers who have not said who they are" if whose is None else whose
            raise Busy(f"{each} streams of {who} are open", hint="close one", retry_after_s=1)

    @contextmanager
    def _opened(self, whose: str | None) -> Iterator[anyio.CancelScope]:
        self._check_room(whose)
        with anyio.CancelScope() as scope:
            self._open[scope] = whose
            try:
                yield scope
            except ConnectionError:
                pass
            finally:
                del self._open[scope]

    def _name(self, scope: anyio.CancelScope, whose: str) -> None:
        """It has said who it is. Raises `Busy`."""
        del self._open[scope]
        try:
            self._check_room(whose)
        finally:
            self._open[scope] = whose

    def admit(self, header: str | None) -> Caller:
        """Raises `Unauthenticated` or `Forbidden`."""
        caller = self._authenticate(header)
        check_role(caller, _READERS, "read")
        return caller

    async def events(self, request: web.Request) -> web.StreamResponse:
        caller = self.admit(request.headers.get("Authorization"))
        reading = Reading(self._ask, self._feed, caller, wanted(request))
        response = web.StreamResponse(headers=_HEADERS)
        response.force_close()  # nothing can follow what has no end
        with self._opened(caller.name) as scope, when_hung_up(request, scope.cancel):
            await response.prepare(request)
            await response.write(_RETRY)
            await self._tell(request, response, reading)
        return response

    async def _tell(
        self, request: web.Request, response: web.StreamResponse, reading: Reading
    ) -> None:
        """In a silence a comment shows that we live. A token may be revoked at any time."""
        while True:
            text = _ALIVE
            with anyio.move_on_after(self._settings.heartbeat_s):
                text = b"".join(map(written, await reading.page()))
            try:
                caller = self.admit(request.headers.get("Authorization"))
            except Unauthenticated:
                return
            if not text:
                continue
            with self._patience.with_reader() as limit:
                await response.write(text)
            if limit.cancelled_caught:
                log.warning(TOO_SLOW, caller.name)
                if request.transport is not None:
                    request.transport.abort()  # it has lost nothing: it knows where it was
                return

    async def socket(self, request: web.Request) -> web.StreamResponse:
        what, header = wanted(request), request.headers.get("Authorization")
        begin(what.after, self._feed.head)
        caller = None if header is None else self.admit(header)
        settings = self._settings
        socket = web.WebSocketResponse(
            heartbeat=PING_S, timeout=settings.slow_s,
            max_msg_size=MESSAGE_BYTES_MAX, compress=False,
        )  # fmt: skip
        talk = Talk(request, socket, SOCKETS[request.path], settings, self._patience, self._now_ms)
        with self._opened(None if caller is None else caller.name) as scope:
            await socket.prepare(request)
            try:
                await talk.greet()
                if header is None:
                    header = await talk.login(self.admit)
                    self._name(scope, self.admit(header).name)
                reading = Reading(self._ask, self._feed, self.admit(header), what)
                if not await talk.run(reading, lambda: self.admit(header)):
                    log.warning(TOO_SLOW, self._open[scope])
                    await talk.end(WSCloseCode.TRY_AGAIN_LATER, b"read faster; resume with after")
            except Busy as refusal:
                await talk.end(WSCloseCode.TRY_AGAIN_LATER, refusal.code.encode())
            except BudgetError as refusal:
                await talk.end(WSCloseCode.POLICY_VIOLATION, refusal.code.encode())
        if not socket.prepared:  # it left before it was answered
            return socket
        await talk.end(WSCloseCode.GOING_AWAY, b"the daemon is stopping")
        return socket


def written(one: Frame) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (one.seq, one.json)
