"""Every verb, every field, abused in every way we know: refused in its own words, nothing moves."""

import http.client
import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import pytest

from protocols.operations import OPERATIONS, PREFIX, Operation
from tests.daemon_process import Answer, Daemon, answer_of, running
from tests.stories.words import CALL, made

NAMES: dict[str, object] = {
    "empty": "", "too long": "a" * 129, "two lines": "a\nb", "a space": "a b", "SQL": "a' OR 1=1",
    "Cyrillic": "\u0430pollo", "reversed": "a\u202eb", "an escape": "a\x1b[31m", "a list": ["a"],
    "an object": {"$ne": None}, "a number": 7, "true": True, "a path": "a\\..\\b",
    "a tag": "<script>",
}  # fmt: skip
COUNTS: dict[str, object] = {
    "negative": -1, "a fraction": 1.5, "in quotes": "5", "true": True, "a list": [1],
    "beyond measure": 10**15, "1.0": 1.0,
}  # fmt: skip
MONEY: dict[str, object] = {
    "a number": 0.25, "negative": "-1", "an exponent": "1e9", "ten decimals": "0.0000000001",
    "Arabic digits": "\u0661", "NaN": "NaN", "beyond measure": "9" * 13, "empty": "", "a list": [],
}  # fmt: skip
BODIES: dict[str, bytes] = {
    "no JSON": b"hello", "half JSON": b'{"a": ', "a list": b"[]", "null": b"null",
    "NaN": b'{"x": NaN}', "the same name twice": b'{"x": 1, "x": 1}',
    "UTF-16": "{}".encode("utf-16"),
    "too deep": b'{"x": ' + b"[" * 40 + b"]" * 40 + b"}", "2^63": b'{"x": 9223372036854775808}',
    "U+0000": b'{"x": "\\u0000"}', "4000 digits": b'{"x": ' + b"9" * 4000 + b"}",
    "a lone surrogate": b'{"x": "\\ud800"}', "no such field": b'{"is_admin": true}',
}  # fmt: skip


class Case(NamedTuple):
    operation: str
    abuse: str
    method: str
    path: str
    body: bytes | None
    field: str | None
    """The field the refusal must name."""


def kinds(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas a field may follow, one of which says what it is."""
    return [schema, *schema.get("anyOf", []), *schema.get("allOf", [])]


def abuses(schema: dict[str, Any]) -> dict[str, object]:
    for kind in kinds(schema):
        if kind.get("type") == "integer":
            return COUNTS
        if kind.get("type") == "string" and "enum" not in kind and "128" in kind.get("pattern", ""):
            return NAMES
        if kind.get("type") == "string" and "\\d" in kind.get("pattern", ""):
            return MONEY
    return {}


def place(operation: Operation, **fields: str) -> str:
    path = PREFIX + operation.path
    for name in operation.path_fields:
        known = f"rsv_{'0' * 32}" if name == "reservation_id" else f"alc_{'0' * 32}"
        path = path.replace(f"{{{name}}}", fields.get(name, known if name.endswith("_id") else "x"))
    return path


def cases() -> Iterator[Case]:
    for operation in OPERATIONS:
        for abuse, body in BODIES.items() if operation.method == "POST" else ():
            yield case(operation, abuse, body=body)
        if operation.method != "POST":
            yield case(operation, "no such field", query="is_admin=1", field="is_admin")
            yield case(operation, "twice", query="a=1&a=1")
            yield case(operation, "a body", body=b"{}")
        for field, schema in operation.request.model_json_schema()["properties"].items():
            for abuse, value in abuses(schema).items():
                yield from of_field(operation, f"{field}: {abuse}", field, value)


def of_field(operation: Operation, abuse: str, field: str, value: object) -> Iterator[Case]:
    """In a path or a query only text can be wrong, and "5" is a number."""
    if operation.method == "POST" and field not in operation.path_fields:
        yield case(operation, abuse, body=json.dumps({field: value}).encode(), field=field)
    elif isinstance(value, str | int | float) and value not in ("", "5", 7, True):
        text = quote(str(value), safe="")
        if field in operation.path_fields:
            yield case(operation, abuse, {field: text}, field=field)
        else:
            yield case(operation, abuse, query=f"{field}={text}", field=field)


def case(
    operation: Operation,
    abuse: str,
    path: Mapping[str, str] = MappingProxyType({}),
    *,
    query: str = "",
    body: bytes | None = None,
    field: str | None = None,
) -> Case:
    where = place(operation, **path) + (f"?{query}" if query else "")
    return Case(operation.name, abuse, operation.method, where, body, field)


CASES = list(cases())


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("home")) as started:
        yield started


@pytest.fixture(scope="module")
def line(daemon: Daemon) -> Iterator[http.client.HTTPConnection]:
    place = urlsplit(daemon.told["url"])
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    yield connection
    connection.close()


def send(line: http.client.HTTPConnection, daemon: Daemon, case: Case) -> Answer:
    headers = {"Authorization": f"Bearer {daemon.token}"}
    if case.body is not None:
        headers["Content-Type"] = "application/json"
    line.request(case.method, case.path, case.body, headers)
    return answer_of(line.getresponse())


def wrong_with(answer: Answer, case: Case) -> str | None:
    """What is wrong with a refusal, or None."""
    if not 400 <= answer.status < 500 or answer.status in (402, 429):
        return f"answered {answer.status}"
    if answer.headers["Content-Type"] != "application/problem+json":
        return f"is {answer.headers['Content-Type']}"
    problem = answer.body
    fields = [one["field"].partition(".")[0] for one in problem.get("errors", ())]
    if case.field is not None and answer.status == 422 and case.field not in fields:
        return f"names {fields}, not {case.field}"
    return None if problem["detail"] and problem["code"] else "has no words"


@pytest.mark.parametrize("operation", [operation.name for operation in OPERATIONS])
def test_abuse_is_refused_in_words_and_moves_nothing(
    daemon: Daemon, line: http.client.HTTPConnection, operation: str
) -> None:
    before = daemon.get("/entries?limit=1000").raw

    wrong = {
        case.abuse: told
        for case in CASES
        if case.operation == operation and (told := wrong_with(send(line, daemon, case), case))
    }

    assert wrong == {}
    assert daemon.get("/entries?limit=1000").raw == before
    made(daemon.post("/reservations", CALL | {"component": "in-between"}))


def test_there_are_more_than_three_hundred_ways() -> None:
    assert len({(case.operation, case.abuse) for case in CASES}) == len(CASES) > 300
