"""Listening: on TCP, on a unix socket, or both; closing without cutting anyone off."""

import errno
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from anyio import CancelScope

from protocols.errors import Malformed
from protocols.http.application import GUARD
from protocols.http.guard import Guard
from protocols.http.reply import mishap, problem
from protocols.http.settings import DoorSettings

LINGER_S = 2.0
"""How long the rest of a refused body is still taken in, so that the client sees the answer."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the door is open."""

    url: str | None
    port: int | None
    socket: Path | None


@asynccontextmanager
async def serve(app: web.Application, settings: DoorSettings) -> AsyncIterator[Listening]:
    """Open the door; on leaving, finish what is in flight. OSError when the place is taken."""
    runner = _Runner(app, settings)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_close, runner)
        await runner.setup()
        url, port, path = None, None, settings.socket
        if settings.host is not None:
            site = web.TCPSite(runner, settings.host, settings.port)
            await site.start()
            url, port = site.name, site.port
        if path is not None:
            server = _bound(path)
            stack.callback(path.unlink, missing_ok=True)
            await web.SockSite(runner, server).start()
        yield Listening(url, port, path)


async def _close(runner: web.AppRunner) -> None:
    with CancelScope(shield=True):
        await runner.cleanup()


def _bound(path: Path) -> socket.socket:
    """Make a unix socket that only its owner may open, from before it listens."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(path)
        server.bind(str(path))
        path.chmod(0o600)
        server.setblocking(False)  # noqa: FBT003  # the name says it
    except OSError:
        server.close()
        raise
    return server


def _remove_stale(path: Path) -> None:
    """Take away the socket of a daemon that died; leave that of one that lives."""
    if not path.is_socket():
        return
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as client:
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise OSError(errno.EADDRINUSE, "another process listens here", str(path))


class _Runner(web.AppRunner):
    """Puts the guard before the application."""

    def __init__(self, app: web.Application, settings: DoorSettings) -> None:
        super().__init__(app, access_log=None, shutdown_timeout=settings.stop_s)
        self._guard = app[GUARD]
        self._keepalive_s = settings.keepalive_s

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made, self._guard, self._keepalive_s)


class _Server(web.Server):
    """Makes connections that answer in problem documents, and inflates nothing."""

    def __init__(self, made: web.Server, guard: Guard, keepalive_s: float) -> None:
        handler = guard.before(made.request_handler)
        super().__init__(
            handler,
            request_factory=made.request_factory,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=keepalive_s,
            lingering_time=LINGER_S,
        )

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


@contextmanager
def when_hung_up(request: web.Request, call: Callable[[], None]) -> Iterator[None]:
    """Call this, at most once, if the client hangs up while inside: for answers that stream."""
    connection = request.protocol
    assert isinstance(connection, _Connection), "served without our server"
    connection.when_lost = call
    try:
        yield
    finally:
        connection.when_lost = None


class _Connection(web.RequestHandler):
    """What does not even parse as HTTP gets a problem document too."""

    __slots__ = ("when_lost",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.when_lost: Callable[[], None] | None = None

    def connection_lost(self, exc: BaseException | None) -> None:
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
