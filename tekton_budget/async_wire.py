"""HTTP from a coroutine, in the standard library alone: asyncio's streams, kept open."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from tekton_budget.ask import Ask
from tekton_budget.connection import only
from tekton_budget.errors import BudgetError, broke_off, no_daemon, read
from tekton_budget.find import Place
from tekton_budget.wire import IDLE_MAX


class Link(NamedTuple):
    """An open connection and where it leads."""

    place: Place
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class AsyncWire:
    """Sends one ask at a time over each connection; many coroutines may send at once."""

    def __init__(self, where: Callable[[], Place], timeout_s: float) -> None:
        self._where = where
        self._timeout_s = timeout_s
        self._idle: deque[Link] = deque()

    async def send(self, ask: Ask[object]) -> dict[str, object]:
        """The answer as JSON. Raises `BudgetError`."""
        link = await self._take()
        keep = False
        try:
            async with asyncio.timeout(self._timeout_s):
                link.writer.write(_request(ask, link.place))
                await link.writer.drain()
                status, headers = await head(link.reader)
                body = b"".join([part async for part in parts(link.reader, headers)])
            keep = headers.get("connection", "").lower() != "close"
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as problem:
            raise broke_off(link.place.url, problem) from None
        finally:
            if keep and len(self._idle) < IDLE_MAX:
                self._idle.append(link)
            else:
                link.writer.close()
        return read(link.place.url, status, body)

    async def _take(self) -> Link:
        while self._idle:
            link = self._idle.pop()
            if not link.reader.at_eof() and not link.writer.is_closing():
                return link
            link.writer.close()
        return await self.open()

    async def open(self) -> Link:
        """A new connection. Raises `BudgetError`."""
        place = self._where()
        try:
            async with asyncio.timeout(self._timeout_s):
                return Link(place, *await _open(place))
        except OSError as problem:
            raise no_daemon(place.url, problem) from None

    async def close(self) -> None:
        while self._idle:
            writer = self._idle.pop().writer
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def _open(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = place.url
    if url.startswith("unix:"):
        return await asyncio.open_unix_connection(url.removeprefix("unix:"))
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        context = ssl.create_default_context() if place.pinned is None else only(place.pinned)
        return await asyncio.open_connection(parts.hostname, parts.port or 443, ssl=context)
    if parts.scheme == "http" and parts.hostname:
        return await asyncio.open_connection(parts.hostname, parts.port or 80)
    raise BudgetError(
        f"{url!r} is not an address of a daemon", hint="write for example http://127.0.0.1:8013"
    )


def header(ask: Ask[object], place: Place, more: Mapping[str, str]) -> bytes:
    """How a request begins."""
    host = "localhost" if place.url.startswith("unix:") else urlsplit(place.url).netloc
    told = {**ask.headers(place.token), "Host": host, **more}
    lines = [f"{ask.method} {ask.target} HTTP/1.1", *(f"{name}: {told[name]}" for name in told)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _request(ask: Ask[object], place: Place) -> bytes:
    body = ask.body
    if body is None:
        return header(ask, place, {})
    return header(ask, place, {"Content-Length": str(len(body))}) + body


async def head(reader: asyncio.StreamReader) -> tuple[int, Mapping[str, str]]:
    """The status and the headers, by lower-case name."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = [line.partition(":") for line in lines[1:] if line]
    return int(lines[0].split()[1]), {name.lower(): text.strip() for name, _, text in pairs}


async def parts(
    reader: asyncio.StreamReader, headers: Mapping[str, str]
) -> AsyncGenerator[bytes, None]:
    """The body, as it comes."""
    if "content-length" in headers:
        yield await reader.readexactly(int(headers["content-length"]))
    elif headers.get("transfer-encoding", "").lower() != "chunked":
        yield await reader.read()
    else:
        while size := int((await reader.readline()).split(b";")[0], 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        while await reader.readline() not in (b"\r\n", b""):
            pass
