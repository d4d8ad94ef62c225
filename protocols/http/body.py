"""From a request to the fields of a message: read within bounds, parse without surprises."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from anyio import fail_after
from pydantic_core import from_json

from protocols.errors import BodyTimeout, Malformed, TooLarge, UnsupportedMedia
from protocols.http.settings import DoorSettings

DEPTH_MAX: Final = 32
INTEGER_MAX: Final = 2**63 - 1

_JSON_TYPE = re.compile(r'application/json(?:\s*;\s*charset="?utf-8"?)?', re.ASCII | re.IGNORECASE)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


async def read(request: web.Request, settings: DoorSettings) -> bytes:
    """Take the body if it is plain JSON, small and quick enough. Empty when there is none."""
    if not request.body_exists:
        return b""
    check_kind(request.headers)
    limit = settings.body_bytes_max
    if request.content.is_eof():  # it came with the headers: nothing to wait for
        body = request.content.read_nowait()
    elif (request.content_length or 0) > limit:
        raise _too_large(limit)
    else:
        body = await _gather(request, limit, settings.body_s)
    if len(body) > limit:
        raise _too_large(limit)
    return body


def check_kind(headers: Mapping[str, str]) -> None:
    """Refuse a body that is anything but plain JSON."""
    kind = headers.get("Content-Type", "")
    if kind != "application/json" and not _JSON_TYPE.fullmatch(kind):
        raise UnsupportedMedia("send the body with Content-Type: application/json")
    if "Content-Encoding" in headers:
        raise UnsupportedMedia("send the body as it is, without Content-Encoding")


async def _gather(request: web.Request, limit: int, within_s: float) -> bytes:
    body = bytearray()
    try:
        with fail_after(within_s):
            while len(body) <= limit and (chunk := await request.content.readany()):
                body += chunk
    except TimeoutError:
        raise BodyTimeout(f"the body was not complete after {within_s:g} s") from None
    except (web.RequestPayloadError, ConnectionError):
        raise Malformed("the body broke off") from None
    return bytes(body)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"a body may have at most {limit} bytes", limit_bytes=limit)


def parse(body: bytes) -> dict[str, Any]:
    """Make fields of a JSON object. Nothing in it may be read in two ways, or stored in none."""
    if not body:
        return {}
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Malformed(f"the body is not JSON: {error}") from None
    if type(value) is not dict:
        raise Malformed("the body must be a JSON object")
    if b"\\u0000" in body and _NUL.search(body):
        raise Malformed("the body has a string with U+0000")
    if _pairs(value, 1) != body.count(b":"):
        _refuse_twins(body)
    return value


def _pairs(value: dict[str, Any] | list[Any], depth: int) -> int:
    """Count the names that have a value, all the way down; refuse what is too deep or too big."""
    if depth > DEPTH_MAX:
        raise Malformed(f"the body is nested deeper than {DEPTH_MAX} levels")
    count = 0
    items: Any = value
    if type(value) is dict:
        count = len(value)
        items = value.values()
    for item in items:
        kind = type(item)
        if kind is int:
            if not -INTEGER_MAX <= item <= INTEGER_MAX:
                raise Malformed("the body has a number beyond 64 bits")
        elif kind is float:
            if item - item != 0:
                raise Malformed("the body has a number without bounds")
        elif kind is dict or kind is list:
            count += _pairs(item, depth + 1)
    return count


def _refuse_twins(body: bytes) -> None:
    """Look why there are more colons than names: one in a string, or a name that is there twice."""
    try:
        json.loads(body, object_pairs_hook=_distinct)
    except (ValueError, RecursionError):
        raise Malformed("the body is not plain JSON") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Malformed("the body has an object with the same name twice")
    return fields
