"""Stands between a client and a daemon: counts their connections and cuts them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from tests.daemon_process import Daemon


class Relay:
    """A port that leads to the daemon."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._open: list[asyncio.StreamWriter] = []
        self.connections = 0
        self.url = ""
        self.cuts: list[int] = []
        """After so many bytes of answers, all connections break; what follows is lost."""
        self._told = 0

    async def lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        place = urlsplit(self._daemon.told["url"])
        there, away = await asyncio.open_connection(place.hostname, place.port)
        self._open += [writer, away]
        await asyncio.gather(self._pour(reader, away, asks=True), self._pour(there, writer))

    def cut(self) -> None:
        """Break every connection, in both directions."""
        while self._open:
            self._open.pop().transport.abort()

    async def _pour(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, asks: bool = False
    ) -> None:
        with suppress(OSError):
            while some := await source.read(4096):
                self._told += 0 if asks else len(some)
                if self.cuts and self._told > self.cuts[0]:
                    self.cuts.pop(0)
                    self.cut()
                    return
                sink.write(some)
                await sink.drain()
        sink.close()


@asynccontextmanager
async def relay(daemon: Daemon) -> AsyncIterator[Relay]:
    found = Relay(daemon)
    server = await asyncio.start_server(found.lead, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
        found.cut()
