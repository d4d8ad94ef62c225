"""Every bad request gets a problem document of its own, and the next good one works."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import anyio
import pytest

from tests.protocols.door import RESERVATION_ID, RESERVE, Door, Reply, open_door, reservation

pytestmark = pytest.mark.anyio

POST = "/api/v1/reservations"
SETTLE = f"{POST}/{RESERVATION_ID}/settle"
JSON = {"Content-Type": "application/json"}
SIZE_MAX = 10_000
DEEP = "[" * 40 + "]" * 40


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door(body_bytes_max=SIZE_MAX, body_s=0.05) as door:
        yield door


def with_field(name: str, literal: str) -> bytes:
    return b'{"component": "apollo", "model": "m", "%b": %b}' % (name.encode(), literal.encode())


def usage(literal: str) -> bytes:
    return b'{"usage": {"input": %b}}' % literal.encode()


BAD_BODIES: dict[str, tuple[bytes, int, str]] = {
    "not JSON": (b"hello", 400, "malformed"),
    "half JSON": (b'{"component": "apollo"', 400, "malformed"),
    "trailing text": (b"{} {}", 400, "malformed"),
    "trailing comma": (b'{"component": "apollo",}', 400, "malformed"),
    "a comment": (b"{} // hello", 400, "malformed"),
    "single quotes": (b"{'component': 'apollo'}", 400, "malformed"),
    "a list": (b"[]", 400, "malformed"),
    "a string": (b'"apollo"', 400, "malformed"),
    "a number": (b"1", 400, "malformed"),
    "null": (b"null", 400, "malformed"),
    "blank": (b"  ", 400, "malformed"),
    "bad UTF-8": (b'{"component": "\xff\xfe"}', 400, "malformed"),
    "overlong UTF-8": (b'{"component": "\xc0\xaf"}', 400, "malformed"),
    "UTF-16": ('{"component": "apollo"}'.encode("utf-16"), 400, "malformed"),
    "a byte order mark": (b"\xef\xbb\xbf{}", 400, "malformed"),
    "a lone surrogate": (b'{"component": "\\ud800"}', 400, "malformed"),
    "U+0000": (with_field("metadata", r'{"a": "x\u0000y"}'), 400, "malformed"),
    "U+0000 in a name": (with_field("metadata", r'{"a\u0000": "x"}'), 400, "malformed"),
    "a raw control character": (b'{"component": "a\x00b"}', 400, "malformed"),
    "the same name twice": (b'{"component": "a", "component": "b"}', 400, "malformed"),
    "twins further down": (with_field("tags", '{"a": "1", "a": "2"}'), 400, "malformed"),
    "a deep twin": (b'{"a": %b, "a": 1}' % (b"[" * 190 + b"]" * 190), 400, "malformed"),
    "NaN": (with_field("input_tokens", "NaN"), 400, "malformed"),
    "Infinity": (with_field("input_tokens", "Infinity"), 400, "malformed"),
    "-Infinity": (with_field("input_tokens", "-Infinity"), 400, "malformed"),
    "1e1000000": (with_field("input_tokens", "1e1000000"), 400, "malformed"),
    "1e999 in metadata": (with_field("metadata", '{"a": 1e999}'), 400, "malformed"),
    "2^63": (with_field("input_tokens", str(2**63)), 400, "malformed"),
    "4000 digits": (with_field("input_tokens", "9" * 4000), 400, "malformed"),
    "5000 digits": (with_field("input_tokens", "9" * 5000), 400, "malformed"),
    "2^63 in metadata": (with_field("metadata", f'{{"a": {2**63}}}'), 400, "malformed"),
    "a leading zero": (with_field("input_tokens", "007"), 400, "malformed"),
    "too deep": (with_field("metadata", DEEP), 400, "malformed"),
    "far too deep": (b"[" * 9_000, 400, "malformed"),
    "no fields": (b"{}", 422, "invalid"),
    "a field missing": (b'{"component": "apollo"}', 422, "invalid"),
    "an unknown field": (with_field("modle", '"m"'), 422, "invalid"),
    "is_admin": (with_field("is_admin", "true"), 422, "invalid"),
    "null where a name must be": (b'{"component": null, "model": "m"}', 422, "invalid"),
    "an empty name": (b'{"component": "", "model": "m"}', 422, "invalid"),
    "a name too long": (b'{"component": "%b", "model": "m"}' % (b"a" * 129), 422, "invalid"),
    "a name with a newline": (b'{"component": "a\\n", "model": "m"}', 422, "invalid"),
    "a name in Cyrillic": ('{"component": "\u0430", "model": "m"}'.encode(), 422, "invalid"),
    "a name with SQL": (b'{"component": "a\' OR 1=1", "model": "m"}', 422, "invalid"),
    "a list for a name": (b'{"component": ["apollo"], "model": "m"}', 422, "invalid"),
    "-1": (with_field("input_tokens", "-1"), 422, "invalid"),
    "1.5": (with_field("input_tokens", "1.5"), 422, "invalid"),
    "1.0": (with_field("input_tokens", "1.0"), 422, "invalid"),
    "1e2": (with_field("input_tokens", "1e2"), 422, "invalid"),
    "5 in quotes": (with_field("input_tokens", '"5"'), 422, "invalid"),
    "true for a number": (with_field("input_tokens", "true"), 422, "invalid"),
    "10^13 tokens": (with_field("input_tokens", str(10**13)), 422, "invalid"),
    "a time to live of 0": (with_field("ttl_s", "0"), 422, "invalid"),
    "a time to live of two days": (with_field("ttl_s", "172800"), 422, "invalid"),
    "priority 11": (with_field("priority", "11"), 422, "invalid"),
    "money as a number": (with_field("usd", "0.25"), 422, "invalid"),
    "negative money": (with_field("usd", '"-1"'), 422, "invalid"),
    "money with an exponent": (with_field("usd", '"1e1000000"'), 422, "invalid"),
    "money with ten decimals": (with_field("usd", '"0.0000000001"'), 422, "invalid"),
    "money in Arabic digits": (with_field("usd", '"\u0661"'), 422, "invalid"),
    "money without bounds": (with_field("usd", '"999999999999"'), 422, "invalid"),
    "money called NaN": (with_field("usd", '"NaN"'), 422, "invalid"),
    "tags as a list": (with_field("tags", "[]"), 422, "invalid"),
    "a tag that is a number": (with_field("tags", '{"a": 1}'), 422, "invalid"),
    "too many tags": (
        with_field("tags", "{" + ", ".join(f'"t{n}": "v"' for n in range(17)) + "}"),
        422,
        "invalid",
    ),
    "metadata in metadata": (with_field("metadata", '{"a": {}}'), 422, "invalid"),
    "a fraction in metadata": (with_field("metadata", '{"a": 1.5}'), 422, "invalid"),
    "too large": (with_field("input_text", '"' + "a" * SIZE_MAX + '"'), 413, "too-large"),
}

BAD_USAGE: dict[str, tuple[bytes, int, str]] = {
    "infinite usage": (usage("1e1000000"), 400, "malformed"),
    "usage of 2^63": (usage(str(2**63)), 400, "malformed"),
    "usage with NaN": (usage("NaN"), 400, "malformed"),
    "usage too deep": (usage(DEEP), 400, "malformed"),
    "usage with U+0000": (usage(r'"\u0000"'), 400, "malformed"),
    "usage that is a list": (b'{"usage": []}', 422, "invalid"),
    "the path's field in the body": (
        b'{"usage": {}, "reservation_id": "%b"}' % RESERVATION_ID.encode(),
        422,
        "invalid",
    ),
}

BAD_REQUESTS: dict[str, tuple[str, str, dict[str, Any], int, str]] = {
    "no such path": ("GET", "/api/v1/nothing", {}, 404, "not-found"),
    "a slash too many": ("POST", f"{POST}/", {"json": RESERVE}, 404, "not-found"),
    "climbing": ("GET", "/api/v1/../../etc/passwd", {}, 404, "not-found"),
    "PUT": ("PUT", POST, {"json": RESERVE}, 405, "method-not-allowed"),
    "DELETE": ("DELETE", POST, {}, 405, "method-not-allowed"),
    "OPTIONS": ("OPTIONS", POST, {}, 405, "method-not-allowed"),
    "TRACE": ("TRACE", POST, {}, 405, "method-not-allowed"),
    "POST to health": ("POST", "/health", {}, 405, "method-not-allowed"),
    "a form": ("POST", POST, {"data": {"component": "apollo"}}, 415, "unsupported-media"),
    "text": (
        "POST", POST, {"data": b"{}", "headers": {"Content-Type": "text/plain"}},
        415, "unsupported-media",
    ),
    "Latin-1": (
        "POST", POST,
        {"data": b"{}", "headers": {"Content-Type": "application/json; charset=latin-1"}},
        415, "unsupported-media",
    ),
    "gzip": (
        "POST", POST, {"data": b"{}", "headers": {**JSON, "Content-Encoding": "gzip"}},
        415, "unsupported-media",
    ),
    "a query at a POST": ("POST", f"{POST}?ttl_s=5", {"json": RESERVE}, 422, "invalid"),
    "an unknown query key": ("GET", "/api/v1/balances?componet=apollo", {}, 422, "invalid"),
    "a page of no size": ("GET", "/api/v1/balances?limit=0", {}, 422, "invalid"),
    "a page of x": ("GET", "/api/v1/balances?limit=x", {}, 422, "invalid"),
    "a page of 5000 digits": ("GET", f"/api/v1/balances?limit={'9' * 5000}", {}, 422, "invalid"),
    "a query key twice": ("GET", "/api/v1/balances?limit=1&limit=2", {}, 400, "malformed"),
    "U+0000 in the query": ("GET", "/api/v1/policies?cursor=%00", {}, 400, "malformed"),
    "a body at a GET": ("GET", "/api/v1/balances", {"json": {}}, 400, "malformed"),
    "the path's field in the query": (
        "GET", f"{POST}/{RESERVATION_ID}?reservation_id={RESERVATION_ID}", {}, 422, "invalid",
    ),
    "an id that is none": ("GET", f"{POST}/rsv_1", {}, 422, "invalid"),
    "an allocation's id": ("GET", f"{POST}/alc_{'0' * 32}", {}, 422, "invalid"),
    "bad UTF-8 in the path": ("GET", f"{POST}/%FF%FE", {}, 422, "invalid"),
    "no token": (
        "GET", "/api/v1/balances", {"headers": {"Authorization": None}}, 401, "unauthenticated",
    ),
    "another's token": (
        "GET", "/status", {"headers": {"Authorization": "Bearer sk-1"}}, 401, "unauthenticated",
    ),
    "a token in the query": (
        "GET", "/api/v1/balances?token=admin", {"headers": {"Authorization": None}},
        401, "unauthenticated",
    ),
    "a foreign Host": (
        "GET", "/health", {"headers": {"Host": "evil.example"}}, 421, "misdirected",
    ),
    "a Host that begins like ours": (
        "GET", "/health", {"headers": {"Host": "localhost.evil.example"}}, 421, "misdirected",
    ),
    "a Host with a path": (
        "GET", "/health", {"headers": {"Host": "localhost/health"}}, 421, "misdirected",
    ),
    "a foreign Origin": (
        "GET", "/health", {"headers": {"Origin": "https://evil.example"}}, 403, "forbidden",
    ),
    "a sandboxed page": ("GET", "/health", {"headers": {"Origin": "null"}}, 403, "forbidden"),
    "a page on another port": (
        "GET", "/health", {"headers": {"Origin": "http://localhost:3000"}}, 403, "forbidden",
    ),
    "Expect: nonsense": (
        "POST", POST, {"json": RESERVE, "headers": {"Expect": "nonsense"}}, 400, "malformed",
    ),
    "a batch of nothing": ("POST", "/api/v1/batch", {"json": {"operations": []}}, 422, "invalid"),
    "a batch that is a list": ("POST", "/api/v1/batch", {"json": []}, 400, "malformed"),
    "an empty Idempotency-Key": (
        "POST", POST, {"json": RESERVE, "headers": {"Idempotency-Key": ""}}, 422, "invalid",
    ),
    "an Idempotency-Key with a space": (
        "POST", POST, {"json": RESERVE, "headers": {"Idempotency-Key": "a b"}}, 422, "invalid",
    ),
    "an Idempotency-Key without end": (
        "POST", POST, {"json": RESERVE, "headers": {"Idempotency-Key": "a" * 256}}, 422, "invalid",
    ),
}  # fmt: skip

BAD_BYTES: dict[str, tuple[bytes, int, str]] = {
    "no HTTP": (b"hello\r\n\r\n", 400, "malformed"),
    "a TLS greeting": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "malformed"),
    "a line too long": (
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: %b\r\n\r\n" % (b"a" * 20_000),
        400,
        "malformed",
    ),
    "a path too long": (b"GET /%b HTTP/1.1\r\n\r\n" % (b"a" * 20_000), 400, "malformed"),
    "too many headers": (
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        400,
        "malformed",
    ),
    "no Host": (b"GET /health HTTP/1.1\r\n\r\n", 400, "malformed"),
    "no Host, HTTP/1.0": (b"GET /health HTTP/1.0\r\n\r\n", 421, "misdirected"),
    "two Hosts": (
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        400,
        "malformed",
    ),
    "two lengths": (
        (
            b"POST /api/v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n{}"
        ),
        400,
        "malformed",
    ),
    "a negative length": (
        b"POST /api/v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        400,
        "malformed",
    ),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, "not-found"),
    "a body announced and not sent": (
        (
            b"POST /api/v1/check HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n"
            b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        ),
        408,
        "body-timeout",
    ),
    "a large body announced": (
        (
            b"POST /api/v1/check HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n"
            b"Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{"
        ),
        413,
        "too-large",
    ),
    "a large body in chunks": (
        b"POST /api/v1/check HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"1000\r\n%b\r\n"
        % (b" " * 0x1000)
        * 3,
        413,
        "too-large",
    ),
    "a chunk without a size": (
        (
            b"POST /api/v1/check HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n"
            b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        ),
        400,
        "malformed",
    ),
}


async def assert_refused(door: Door, answer: Reply, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code), answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["status"] == status
    assert answer.body["detail"]
    assert not door.desk.asked, "a bad request went through"
    with anyio.fail_after(5):
        good = await door.post("/reservations", RESERVE)
    assert (good.status, good.body) == (201, asdict(reservation()))


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_a_bad_body_is_refused(door: Door, name: str) -> None:
    body, status, code = BAD_BODIES[name]

    answer = await door.send("POST", POST, data=body, headers=JSON)

    await assert_refused(door, answer, status, code)


@pytest.mark.parametrize("name", BAD_USAGE)
async def test_bad_usage_is_refused(door: Door, name: str) -> None:
    body, status, code = BAD_USAGE[name]

    answer = await door.send("POST", SETTLE, data=body, headers=JSON)

    await assert_refused(door, answer, status, code)


@pytest.mark.parametrize("name", BAD_REQUESTS)
async def test_a_bad_request_is_refused(door: Door, name: str) -> None:
    method, path, options, status, code = BAD_REQUESTS[name]

    answer = await door.send(method, path, **options)

    await assert_refused(door, answer, status, code)


@pytest.mark.parametrize("name", BAD_BYTES)
async def test_bad_bytes_are_refused(door: Door, name: str) -> None:
    sent, status, code = BAD_BYTES[name]

    answer = await door.raw(sent)

    await assert_refused(door, answer, status, code)
