"""Whatever is sent, the answer is a 4xx problem document, and the daemon goes on unharmed."""

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from daemon.journal.verify import verify
from tests.daemon_process import Answer, Daemon, answer_of
from tests.stories.words import CALL, USAGE, made, reserve, settle

LIMIT_BYTES = 1_048_576
UNKNOWN = "0" * 32
GOOD = json.dumps(CALL | {"component": "apollo"}).encode()


@dataclass(frozen=True)
class Sent:
    """A request as bytes. `{hold}` in the path is a reservation that is open; a header that is
    None is left out.
    """

    path: str = "/reservations"
    body: bytes = GOOD
    method: str = "POST"
    headers: Mapping[str, str | None] = field(default_factory=dict)

    def over(self, daemon: Daemon, hold: str) -> bytes:
        place = urlsplit(daemon.told["url"]).netloc
        headers: dict[str, str | None] = {
            "Host": place,
            "Authorization": f"Bearer {daemon.token}",
            "Content-Type": "application/json" if self.body else None,
            "Content-Length": str(len(self.body)) if self.body else None,
            "Connection": "close",
        }
        path = self.path.replace("{hold}", hold)
        if not path.startswith(("*", "http", "/health", "/api/v2")):
            path = f"/api/v1{path}"
        lines = [f"{self.method} {path} HTTP/1.1"]
        lines += [f"{n}: {v}" for n, v in (headers | dict(self.headers)).items() if v is not None]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


def body(path: str, **fields: object) -> Sent:
    return Sent(path, json.dumps(fields).encode())


def call(**changes: object) -> Sent:
    """A reservation with something wrong in its fields."""
    return body("/reservations", **(CALL | {"component": "apollo"} | changes))


def text(inside: bytes) -> Sent:
    """A reservation with something wrong in its JSON: written behind a good field."""
    return Sent(body=GOOD[:-1] + b", " + inside + b"}")


def policy(**changes: object) -> Sent:
    good = {"name": "p", "limit": {"usd": "1"}, "period": "daily"}
    return body("/policies", **(good | changes))


def used(usage: object) -> Sent:
    return body("/reservations/{hold}/settle", usage=usage)


def get(path: str, body: bytes = b"") -> Sent:
    return Sent(path, body, "GET")


def head(**headers: str | None) -> Sent:
    return Sent(headers={name.replace("_", "-"): value for name, value in headers.items()})


def chunked(*chunks: bytes) -> Sent:
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    length = {"Content-Length": None, "Transfer-Encoding": "chunked"}
    return Sent(body=framed + b"0\r\n\r\n", headers=length)


NOT_JSON = {
    "nothing at all": Sent(body=b" "),
    "null": Sent(body=b"null"),
    "a list": Sent(body=b"[]"),
    "a string": Sent(body=b'"reserve"'),
    "an end too early": Sent(body=GOOD[:-1]),
    "two documents": Sent(body=GOOD + GOOD),
    "a comma too many": Sent(body=GOOD[:-1] + b",}"),
    "a comment": Sent(body=b"/* hello */" + GOOD),
    "single quotes": Sent(body=GOOD.replace(b'"', b"'")),
    "a byte order mark": Sent(body=b"\xef\xbb\xbf" + GOOD),
    "UTF-16": Sent(body=GOOD.decode().encode("utf-16")),
    "bad UTF-8": text(b'"context_id": "\xff\xfe"'),
    "a surrogate in bytes": text(b'"context_id": "\xed\xa0\x80"'),
    "a lone surrogate": text(b'"context_id": "\\ud800"'),
    "a NUL": text(b'"context_id": "a\\u0000b"'),
    "a raw NUL": text(b'"context_id": "a\x00b"'),
    "a raw line break": text(b'"context_id": "a\nb"'),
    "NaN": text(b'"ttl_s": NaN'),
    "Infinity": text(b'"ttl_s": Infinity'),
    "-Infinity": text(b'"ttl_s": -Infinity'),
    "1e1000000": text(b'"ttl_s": 1e1000000'),
    "2^63": text(b'"ttl_s": 9223372036854775808'),
    "-2^63": text(b'"ttl_s": -9223372036854775808'),
    "4,000 digits": text(b'"ttl_s": ' + b"9" * 4_000),
    "a name twice": text(b'"component": "rhetor"'),
    "a name twice, spelled otherwise": text(b'"compon\\u0065nt": "rhetor"'),
    "a name twice, deep inside": text(b'"metadata": {"a": 1, "a": 2}'),
    "33 levels": text(b'"metadata": ' + b'{"a": ' * 33 + b"1" + b"}" * 33),
    "100,000 levels": Sent(body=b"[" * 100_000),
    "100,000 objects": Sent(body=b'{"a":' * 100_000),
}

NOT_VALID = {
    "no component": Sent(body=b'{"model": "gpt-5"}'),
    "no field at all": Sent(body=b"{}"),
    "no body": Sent(body=b""),
    "a component that is a number": call(component=7),
    "a component that is null": call(component=None),
    "an empty component": call(component=""),
    "a component with a space": call(component="apollo 13"),
    "a component with a line break": call(component="apollo\n"),
    "a component in Greek": call(component="Ἀπόλλων"),
    "a component of 129 characters": call(component="a" * 129),
    "a component that injects": call(component="a'; DROP TABLE entry; --"),
    "a model that is a list": call(model=["gpt-5"]),
    "a model with a control character": call(model="gpt\x1b[31m"),
    "an unknown field": call(is_admin=True),
    "a misspelled field": call(max_output_token=1),
    "priority 0": call(priority=0),
    "priority 11": call(priority=11),
    "priority in quotes": call(priority="5"),
    "priority with a fraction": call(priority=5.0),
    "priority true": call(priority=True),
    "ttl of 0": call(ttl_s=0),
    "ttl of more than a day": call(ttl_s=86_401),
    "negative tokens": call(input_tokens=-1),
    "2^63 - 1 tokens": call(input_tokens=2**63 - 1),
    "tokens above the limit": call(max_output_tokens=10**12 + 1),
    "dollars as a number": call(usd=0.5),
    "dollars below zero": call(usd="-1"),
    "dollars NaN": call(usd="NaN"),
    "dollars in exponents": call(usd="1e1000000"),
    "dollars of 4,000 digits": call(usd="9" * 4_000),
    "dollars of ten decimals": call(usd="0.0000000001"),
    "dollars in Arabic digits": call(usd="٣"),
    "dollars with a line break": call(usd="1\n"),
    "too many dollars": call(usd="1000001"),
    "tags as a list": call(tags=["project"]),
    "a tag that is a number": call(tags={"project": 7}),
    "17 tags": call(tags={f"t{n}": "v" for n in range(17)}),
    "metadata with an object inside": call(metadata={"a": {"b": 1}}),
    "metadata with a fraction": call(metadata={"a": 1.5}),
    "33 metadata": call(metadata={f"m{n}": 1 for n in range(33)}),
    "a text of a million and one": call(input_text="a" * 1_000_001),
    "an allocation id that is none": call(allocation_id="alc_1"),
    "a check with a wrong field": body("/check", component="apollo", model=5),
    "an explanation with a wrong field": body("/explain", component="apollo"),
    "an allocation for nobody": body("/allocations", component="apollo"),
    "an allocation of less than nothing": body(
        "/allocations", component="apollo", context_id="s", tokens=-1
    ),
    "a reservation id that is none": body("/reservations/1/settle", usage=USAGE),
    "an id in the path and in the body": body("/reservations/{hold}/release", reservation_id="x"),
    "an id of a thousand characters": get(f"/reservations/{'a' * 1_000}"),
    "a usage that is a list": used([USAGE]),
    "a usage that is a number": used(7),
    "a usage nobody knows": used({"wishes": 3}),
    "a usage below zero": used({"input_tokens": -5, "output_tokens": 1}),
    "a usage with a fraction": used({"input_tokens": 1.5, "output_tokens": 1}),
    "a usage in quotes": used({"prompt_tokens": "5", "completion_tokens": 1}),
    "a usage that is true": used({"input_tokens": True, "output_tokens": 1}),
    "a usage beyond a trillion": used({"input": 10**12 + 1}),
    "a usage beyond a million dollars": body(
        "/usage", component="apollo", model="o1-pro", usage={"output": 10**10}
    ),
    "a call beyond a million dollars": call(model="o1-pro", max_output_tokens=10**10),
    "a settle beyond a million dollars": used({"output": 10**12}),
    "more cached than read": used(
        {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 9}}
    ),
    "a usage with details that are none": used({"prompt_tokens": 5, "prompt_tokens_details": 3}),
    "a cost that is no number": used({"input": 1, "reported_cost_usd": "NaN"}),
    "a settle that adds a field": body("/reservations/{hold}/settle", usage=USAGE, cost_usd="0"),
    "a final that is a word": body("/reservations/{hold}/settle", usage=USAGE, final="yes"),
    "an empty response id": body(
        "/usage", component="apollo", model="gpt-5", usage=USAGE, response_id=""
    ),
    "a record of nothing": body("/usage", component="apollo", model="gpt-5", usage={}),
    "a policy without a limit": body("/policies", name="p", period="daily"),
    "a policy that limits nothing": policy(limit={}),
    "a policy with dollars as a number": policy(limit={"usd": 5}),
    "a policy with a yearly period": policy(period="yearly"),
    "a policy that rolls for no time": policy(period="rolling:0m"),
    "a policy that rolls for ever": policy(period="rolling:99999d"),
    "a policy on Mars": policy(zone="Mars/Olympus"),
    "a policy in a file": policy(zone="../../../etc/passwd"),
    "a policy that is strict": policy(enforce="strict"),
    "a policy that matches nothing": policy(match={"tier": "remote_lightweight"}),
    "a policy that matches the moon": policy(match={"moon": "full"}),
    "a policy with a glob in Greek": policy(match={"model": "ω*"}),
    "a policy for each star": policy(each="star"),
    "a policy that warns at 0": policy(warn_at=[0]),
    "a policy that warns at 2": policy(warn_at=[2]),
    "a soft policy with an override": policy(enforce="soft", override={"priority": 10}),
    "a policy with a name in two words": policy(name="my policy"),
    "a budget with a long owner": body("/budgets", name="b", owner="o" * 201),
    "an empty batch": body("/batch", operations=[]),
    "a batch that is a word": body("/batch", operations="reserve"),
    "a batch of words": body("/batch", operations=["reserve"]),
    "a batch with a field too many": body("/batch", operations=[{"operation": "x", "as": "root"}]),
    "a quote on no day": body("/prices/quote", model="gpt-5", usage=USAGE, at="yesterday"),
    "a quote without usage": body("/prices/quote", model="gpt-5"),
    "a limit of 0": get("/reservations?limit=0"),
    "a limit of 1,001": get("/entries?limit=1001"),
    "a limit in words": get("/policies?limit=ten"),
    "a query key nobody knows": get("/balances?order=asc"),
    "a status nobody knows": get("/reservations?status=open"),
    "a cursor that is none": get("/reservations?cursor=next"),
    "a cursor below zero": get("/entries?cursor=-1"),
    "a kind with SQL": get("/entries?kind=held'--"),
    "a query beside a body": Sent("/reservations?component=rhetor"),
    "an empty key": head(Idempotency_Key=""),
    "a key of 256": head(Idempotency_Key="k" * 256),
    "a key with a space": head(Idempotency_Key="a b"),
    "a key in Greek": head(Idempotency_Key="κλειδί".encode().decode("latin-1")),
}

AT_THE_DOOR = {
    "no token": (401, "unauthenticated", head(Authorization=None)),
    "an empty token": (401, "unauthenticated", head(Authorization="Bearer ")),
    "a token of another kind": (401, "unauthenticated", head(Authorization="Basic YTpi")),
    "a provider's key": (401, "unauthenticated", head(Authorization="Bearer sk-ant-123")),
    "a token with SQL": (401, "unauthenticated", head(Authorization="Bearer ' OR 1=1 --")),
    "a token beyond ASCII": (401, "unauthenticated", head(Authorization="Bearer tkb_\xe9\xff")),
    "another host": (421, "misdirected", head(Host="evil.example")),
    "a host that begins like ours": (421, "misdirected", head(Host="127.0.0.1.evil.example")),
    "a host with a name in front": (421, "misdirected", head(Host="localhost@evil.example")),
    "a host with a path": (421, "misdirected", head(Host="localhost/api")),
    "another host on the open pages": (
        421, "misdirected", Sent("/health", b"", "GET", {"Host": "evil.example"}),
    ),
    "a page of another origin": (403, "forbidden", head(Origin="https://evil.example")),
    "a page of no origin": (403, "forbidden", head(Origin="null")),
    "no such path": (404, "not-found", Sent("/reservation")),
    "another version": (404, "not-found", Sent("/api/v2/reservations")),
    "a path that climbs": (404, "not-found", get("/../../etc/passwd")),
    "an unknown reservation": (404, "not-found", get(f"/reservations/rsv_{UNKNOWN}")),
    "an end for an unknown hold": (
        404, "not-found", body(f"/reservations/rsv_{UNKNOWN}/settle", usage=USAGE),
    ),
    "an unknown allocation": (404, "not-found", get(f"/allocations/alc_{UNKNOWN}")),
    "a draw from an unknown allocation": (
        409, "hold-ended", call(allocation_id=f"alc_{UNKNOWN}"),
    ),
    "an unknown policy": (404, "not-found", get("/policies/nobody")),
    "a removal of an unknown policy": (404, "not-found", Sent("/policies/nobody", b"", "DELETE")),
    "PUT": (405, "method-not-allowed", Sent(method="PUT")),
    "a reservation deleted": (
        405, "method-not-allowed", Sent("/reservations/{hold}", b"", "DELETE"),
    ),
    "a settle by GET": (405, "method-not-allowed", get("/reservations/{hold}/settle")),
    "a model without a price": (
        422, "unpriced", body("/prices/quote", model="nobody-knows-1", usage=USAGE),
    ),
    "a body that is plain text": (415, "unsupported-media", head(Content_Type="text/plain")),
    "a body of no type": (415, "unsupported-media", head(Content_Type=None)),
    "a body from a form": (
        415, "unsupported-media", head(Content_Type="application/x-www-form-urlencoded"),
    ),
    "a body in UTF-16": (
        415, "unsupported-media", head(Content_Type="application/json; charset=utf-16"),
    ),
    "a compressed body": (415, "unsupported-media", head(Content_Encoding="gzip")),
    "a body beyond the limit": (413, "too-large", Sent(body=b" " * (LIMIT_BYTES + 1))),
    "a body said to be beyond the limit": (413, "too-large", head(Content_Length=str(10**12))),
    "chunks beyond the limit": (413, "too-large", chunked(*[b" " * 65_536] * 17)),
    "a body that does not come": (408, "body-timeout", head(Content_Length=str(len(GOOD) + 1))),
    "a body with a GET": (400, "malformed", get("/reservations", GOOD)),
    "a query name twice": (400, "malformed", get("/reservations?limit=1&limit=2")),
    "a NUL in the query": (400, "malformed", get("/entries?subject=a%00b")),
    "a length below zero": (400, "malformed", head(Content_Length="-1")),
    "a length in words": (400, "malformed", head(Content_Length="many")),
    "a length and chunks": (400, "malformed", head(Transfer_Encoding="chunked")),
    "chunks that are none": (
        400, "malformed",
        Sent(body=b"zz\r\n", headers={"Content-Length": None, "Transfer-Encoding": "chunked"}),
    ),
    "a line of 9,000 bytes": (400, "malformed", get(f"/reservations?cursor={'a' * 9_000}")),
    "a header of 9,000 bytes": (400, "malformed", head(X_Long="a" * 9_000)),
    "a header of two lines": (400, "malformed", head(X_Split="a\r\nno colon here")),
    "no host": (400, "malformed", head(Host=None)),
}  # fmt: skip

NOT_HTTP = {
    "a greeting": b"hello\r\n\r\n",
    "a TLS handshake": bytes.fromhex("16030100a5010000a10303") + bytes(160),
    "another version": b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "a line without an end": b"G" * 20_000,
}

CASES = (
    {f"not JSON: {name}": (400, "malformed", sent) for name, sent in NOT_JSON.items()}
    | {f"not valid: {name}": (422, "invalid", sent) for name, sent in NOT_VALID.items()}
    | {f"at the door: {name}": case for name, case in AT_THE_DOOR.items()}
)


@pytest.fixture(scope="module")
def hold(daemon: Daemon) -> str:
    name: str = reserve(daemon, "apollo", usd="1", ttl_s=86_400)["reservation_id"]
    return name


@pytest.mark.parametrize("name", CASES)
def test_a_bad_request_gets_a_problem_document(daemon: Daemon, hold: str, name: str) -> None:
    status, code, sent = CASES[name]
    check(exchange(daemon, sent.over(daemon, hold)), status, code)


@pytest.mark.parametrize("name", NOT_HTTP)
def test_what_is_not_http_gets_a_problem_document(daemon: Daemon, name: str) -> None:
    check(exchange(daemon, NOT_HTTP[name]), 400, "malformed")


def test_after_all_of_it_the_daemon_is_well(daemon: Daemon, hold: str) -> None:
    before = daemon.get("/entries?limit=1000").body
    for _, _, sent in CASES.values():
        exchange(daemon, sent.over(daemon, hold))
    for raw in NOT_HTTP.values():
        exchange(daemon, raw)

    assert daemon.get("/entries?limit=1000").body == before
    assert daemon.call("GET", "/health").body["status"] == "healthy"
    assert daemon.call("GET", "/ready").status == 200
    made(settle(daemon, reserve(daemon, "apollo")), 200)
    assert daemon.get(f"/reservations/{hold}").body["status"] == "held"
    assert verify(daemon.data_dir).problems == []
    assert "internal error" not in daemon.said
    assert "Traceback" not in daemon.said


def exchange(daemon: Daemon, raw: bytes) -> Answer:
    """Send these very bytes and read what comes back."""
    place = urlsplit(daemon.told["url"])
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        connection.sendall(raw)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return answer_of(response)


def check(answer: Answer, status: int, code: str) -> None:
    problem: dict[str, Any] = answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status, problem["status"], problem["code"]) == (status, status, code), problem
    assert problem["type"] == f"urn:budget:{code}"
    assert problem["title"]
    assert problem["detail"]
    if code == "invalid":
        assert all({"field", "problem", "remedy"} <= error.keys() for error in problem["errors"])
        assert problem["errors"]
