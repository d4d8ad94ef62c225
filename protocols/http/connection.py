"""One connection: its deadlines, how many there may be, and problems in our words only.

A request that came whole, on a connection that is otherwise idle, goes to the express lane: it is
answered without the task, request, stream and response objects that aiohttp makes for each, and
that are most of what a small request costs. aiohttp's own parser reads every header that did not
come before, byte for byte.
"""

import asyncio  # noqa: TID251  # aiohttp's protocols are asyncio's
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.http_parser import RawRequestMessage

from protocols.errors import BodyTimeout, BudgetError, Malformed, Unavailable
from protocols.http.express import Express
from protocols.http.guard import Guard
from protocols.http.heads import take_apart
from protocols.http.reply import mishap, problem, problem_in_bytes
from protocols.http.settings import DoorSettings

LINGER_S = 2.0
"""How long the rest of a refused body is still taken in, so that the client sees the answer."""
EXPRESS_MAX = 32_768
"""Bytes of a request for the express lane; aiohttp would stop reading at twice as many."""


class Server(web.Server):
    """Makes connections that answer in problem documents, and inflates nothing."""

    def __init__(
        self, made: web.Server, guard: Guard, express: Express, settings: DoorSettings
    ) -> None:
        super().__init__(
            guard.before(made.request_handler),
            request_factory=made.request_factory,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=settings.keepalive_s,
            lingering_time=LINGER_S,
        )
        self.connections_max = settings.connections_max
        self.header_s = settings.header_s
        self.express = express

    @property
    def crowded(self) -> bool:
        return len(self._connections) > self.connections_max

    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)


@contextmanager
def when_hung_up(request: web.Request, call: Callable[[], None]) -> Iterator[None]:
    """Call this, at most once, if the client hangs up while inside: for answers that stream."""
    connection = request.protocol
    assert isinstance(connection, Connection), "served without our server"
    connection.when_lost = call
    try:
        yield
    finally:
        connection.when_lost = None


class Connection(web.RequestHandler):
    """What does not even parse as HTTP, or never ends, gets a problem document too."""

    __slots__ = ("_between_requests", "_deadline", "_server", "when_lost")

    def __init__(self, server: Server, **told: Any) -> None:
        super().__init__(server, **told)
        self._server = server
        self._deadline: asyncio.TimerHandle | None = None
        self._between_requests = True
        """The parser has seen whole requests only: what comes begins one."""
        self.when_lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._server.crowded:
            most = self._server.connections_max
            self._turn_away(
                Unavailable(f"{most} connections are open", outcome="not-applied", retry_after_s=1)
            )

    def data_received(self, data: bytes) -> None:
        if self._between_requests and self._known(data):
            return
        count = self._request_count
        self._sort(data)
        if self._request_count != count:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None
        elif self._deadline is None and self._between(count):
            self._deadline = self._loop.call_later(self._server.header_s, self._late)

    def _sort(self, data: bytes) -> None:
        """Parse, then give the request to the express lane, or wake aiohttp's own handler.

        While an express answer is under way that handler sleeps on, so answers go out in order.
        """
        begins, self._between_requests = self._between_requests, False
        sleeper, self._waiter = self._waiter, None
        super().data_received(data)
        self._waiter = sleeper
        if (
            sleeper is not None
            and self._messages
            and not self._request_in_progress
            and not sleeper.done()
            and not self._taken(data, begins=begins)
        ):
            sleeper.set_result(None)

    def _known(self, data: bytes) -> bool:
        """Whether its like came before, so that nobody need parse it. Nothing else is under way."""
        sleeper = self._waiter
        if (
            sleeper is None
            or sleeper.done()
            or self._request_in_progress
            or self._messages
            or self._paused
            or self._force_close
            or self._close
            or len(data) > EXPRESS_MAX
        ):
            return False
        self._request_in_progress = True
        if not self._server.express.take_again(data, self._answered):
            self._request_in_progress = False
            return False
        self._request_count += 1
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        return True

    def _taken(self, data: bytes, *, begins: bool) -> bool:
        message, payload = self._messages[0]
        at = data.find(b"\r\n\r\n") + 4
        if (
            len(self._messages) > 1
            or not isinstance(message, RawRequestMessage)
            or not payload.is_eof()
            or payload.total_bytes != len(data) - at
            or len(data) > EXPRESS_MAX
            or self._upgraded
            or self._paused  # it does not read its answers: aiohttp waits until it does
            or self._parser is None
        ):
            return False
        self._request_in_progress = True
        one = self._messages.popleft()
        express = self._server.express
        parts = take_apart(data) if begins else None
        block = None if parts is None else parts.block
        if not express.take(message, data[at:], self.transport, self._answered, block):
            self._request_in_progress = False
            self._messages.append(one)
            return False
        self._parser.message_consumed()
        self._between_requests = True
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        return True

    def _answered(self, answer: bytes) -> None:
        self._request_in_progress = False
        if self.transport is not None:
            self.transport.write(answer)
        if self._handler_waiter is not None:
            self._handler_waiter.set_result(None)
        elif self._messages and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _between(self, count: int) -> bool:
        """Whether what came belongs to the header of a request, not to the body of one."""
        waiter = self._waiter
        return count == 0 or (waiter is not None and not waiter.done())

    def _late(self) -> None:
        within_s = self._server.header_s
        self._turn_away(BodyTimeout(f"the header was not complete after {within_s:g} s"))

    def _turn_away(self, refusal: BudgetError) -> None:
        """Say why and close; there is no request that aiohttp could answer."""
        if self.transport is not None:
            self.transport.write(problem_in_bytes(refusal, "Connection: close\r\n"))
        self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)
        if self.when_lost is not None:
            self.when_lost()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # aiohttp passes it
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("part of an answer is out already") from exc
        if isinstance(exc, LineTooLong):
            detail = f"a line of the header is longer than {self.max_line_size} bytes"
        else:
            detail = "this is not an HTTP request"
        refused = status == Malformed.status
        response = problem(Malformed(detail) if refused else mishap(exc, "connection"))
        response.force_close()
        return response
