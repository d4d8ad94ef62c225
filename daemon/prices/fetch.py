"""One file over https: nothing inside, no detour, no more bytes and no longer than agreed."""

import ssl
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import anyio
from yarl import URL

from actors.ports import SourceFailed
from daemon.address import Outward, Refused, checked

CHUNK = 65_536
GZIP = 16 + zlib.MAX_WBITS
NOT_MODIFIED, OK = 304, 200
AGENT = "tekton-budget"


@dataclass(frozen=True, slots=True)
class Fetching:
    """The limits of one fetch."""

    timeout_s: float = 10.0
    bytes_max: int = 20 * 1024 * 1024
    allow_http: bool = False
    allow_private: bool = False
    proxy_from_environment: bool = False
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A file, or None where the server says that what we have still holds."""

    body: bytes | None
    etag: str | None
    modified: str | None


async def fetch(
    url: str, how: Fetching, *, etag: str | None = None, modified: str | None = None
) -> Page:
    """Raises SourceFailed with the reason in one word."""
    try:
        place = checked(url, allow_http=how.allow_http, allow_private=how.allow_private)
    except Refused as error:
        raise SourceFailed(f"{url}: {error}", "address") from None
    try:
        with anyio.fail_after(how.timeout_s):
            return await _fetch(place, how, etag, modified)
    except TimeoutError as error:
        raise SourceFailed(f"no whole answer within {how.timeout_s:g} s", "timeout") from error
    except aiohttp.ClientSSLError as error:
        raise SourceFailed(f"TLS: {error}", "tls") from error
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, Refused):
            raise SourceFailed(str(error.os_error), "address") from error
        raise SourceFailed(f"cannot connect: {error.os_error}", "connection") from error
    except (aiohttp.ClientError, OSError, zlib.error) as error:
        raise SourceFailed(f"the answer broke off: {error!r}", "connection") from error


async def _fetch(url: URL, how: Fetching, etag: str | None, modified: str | None) -> Page:
    headers = {"Accept-Encoding": "gzip", "User-Agent": AGENT}
    if etag is not None:
        headers["If-None-Match"] = etag
    if modified is not None:
        headers["If-Modified-Since"] = modified
    context = ssl.create_default_context(cafile=None if how.ca_file is None else str(how.ca_file))
    resolver = Outward(allow_private=how.allow_private)
    connector = aiohttp.TCPConnector(resolver=resolver, ssl=context, use_dns_cache=False)
    async with (
        aiohttp.ClientSession(
            connector=connector, trust_env=how.proxy_from_environment, auto_decompress=False
        ) as session,
        session.get(url, headers=headers, allow_redirects=False) as answer,
    ):
        if answer.status == NOT_MODIFIED and (etag or modified):
            return Page(None, etag, modified)
        _check_status(answer)
        body = b"".join([part async for part in _plain(answer, how.bytes_max)])
        return Page(body, answer.headers.get("ETag"), answer.headers.get("Last-Modified"))


def _check_status(answer: aiohttp.ClientResponse) -> None:
    if answer.status == OK:
        return
    if 300 <= answer.status < 400:  # noqa: PLR2004  # the redirects
        where = answer.headers.get("Location", "nowhere")
        raise SourceFailed(f"it redirects to {where:.200}; name the new address", "redirect")
    raise SourceFailed(f"it answers {answer.status} {answer.reason}", "status")


async def _plain(answer: aiohttp.ClientResponse, bytes_max: int) -> AsyncIterator[bytes]:
    """Decompress as it comes, and stop as soon as it is too much."""
    coding = answer.headers.get("Content-Encoding", "identity")
    if coding not in ("identity", "gzip"):
        raise SourceFailed(f"it sends {coding}, which nobody asked for", "shape")
    inflate = zlib.decompressobj(GZIP) if coding == "gzip" else None
    size = 0
    async for chunk in answer.content.iter_chunked(CHUNK):
        rest = chunk
        while rest:
            if inflate is None:
                part, rest = rest, b""
            else:
                part = inflate.decompress(rest, CHUNK)
                rest = inflate.unconsumed_tail
            size += len(part)
            if size > bytes_max:
                raise SourceFailed(f"it is larger than {bytes_max} bytes", "too-large")
            yield part
    if inflate is not None and not inflate.eof:
        raise SourceFailed("the compressed file ends in the middle", "connection")
