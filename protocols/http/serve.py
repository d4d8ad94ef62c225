"""Listening: on TCP, on a unix socket, or both; closing without cutting anyone off."""

import errno
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from anyio import CancelScope

from protocols.http.application import EXPRESS, GUARD
from protocols.http.connection import Server
from protocols.http.settings import DoorSettings


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
            site = web.TCPSite(runner, settings.host, settings.port, ssl_context=settings.tls)
            await site.start()
            url, port = site.name, site.port
        if path is not None:
            server = _bound(path, settings.socket_group)
            stack.callback(path.unlink, missing_ok=True)
            await web.SockSite(runner, server).start()
        yield Listening(url, port, path)


async def _close(runner: web.AppRunner) -> None:
    with CancelScope(shield=True):
        await runner.cleanup()


def _bound(path: Path, group: int | None) -> socket.socket:
    """Make a unix socket that only its owner (and a group) may open, from before it listens."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(path)
        server.bind(str(path))
        if group is None:
            path.chmod(0o600)
        else:
            os.chown(path, -1, group)
            path.chmod(0o660)
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
        self._express = app[EXPRESS]
        self._settings = settings

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return Server(made, self._guard, self._express, self._settings)
