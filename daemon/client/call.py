"""Asking one daemon over HTTP: what to send where, and what came back.

Its routes are the table of `protocols.operations`, read as text: importing the table would
load pydantic, which takes longer than a whole `budget status`.
"""

import ast
import http.client
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlencode

import protocols
from protocols.errors import BudgetError, Unavailable, from_problem
from tekton_budget.connection import connection

PREFIX = "/api/v1"
PAGE = 500

Json = dict[str, Any]


class Route(NamedTuple):
    method: str
    path: str


@cache
def routes() -> dict[str, Route]:
    """Every operation's method and path, by name."""
    table = Path(protocols.__file__ or "").with_name("operations.py").read_text(encoding="utf-8")
    found: dict[str, Route] = {}
    for node in ast.walk(ast.parse(table)):
        match node:
            case ast.Call(func=ast.Name("Operation"), args=[name, _, _, method, path, _]):
                texts = [ast.literal_eval(part) for part in (name, method, path)]
                found[texts[0]] = Route(*texts[1:])
            case _:
                pass
    return found


class Client:
    """Asks one daemon, over TCP (`http://…`, `https://…`) or a unix socket (`unix:/path`).

    Keeps its connection, so it belongs to one thread.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        timeout_s: float = 30.0,
        pinned: str | None = None,
    ) -> None:
        """`pinned` is the very certificate to expect; None: one that the system trusts."""
        self.url = url
        self.token = token
        self._connection = _connect(url, timeout_s, pinned)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(
        self,
        operation: str,
        fields: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """One operation of the table. A field that is None is not sent. Raises `BudgetError`."""
        method, path = routes()[operation]
        rest = {name: value for name, value in (fields or {}).items() if value is not None}
        for name in [name for name in rest if f"{{{name}}}" in path]:
            path = path.replace(f"{{{name}}}", quote(str(rest.pop(name)), safe=""))
        if method == "POST":
            body = json.dumps(rest).encode()
            return self._send(method, PREFIX + path, body, idempotency_key)
        query = f"?{urlencode(rest)}" if rest else ""
        return self._send(method, PREFIX + path + query)

    def items(
        self, operation: str, fields: Mapping[str, Any] | None = None, limit: int | None = None
    ) -> Iterator[Json]:
        """Yield the items of a list, page after page, at most `limit` of them."""
        ask: Json = dict(fields or {})
        while limit is None or limit > 0:
            page = self.call(operation, ask | {"limit": min(limit or PAGE, PAGE)})
            yield from page["items"]
            limit = None if limit is None else limit - len(page["items"])
            if page["next_cursor"] is None:
                return
            ask["cursor"] = page["next_cursor"]

    def get(self, path: str) -> Json:
        """One of the routes beside the table: `/health`, `/status`."""
        return self._send("GET", path)

    def connect(self) -> http.client.HTTPConnection:
        """Open the connection, if it is not, for somebody who speaks HTTP by themselves."""
        try:
            if self._connection.sock is None:
                self._connection.connect()
        except OSError as problem:
            raise no_daemon(self.url, problem) from None
        return self._connection

    def authorization(self) -> dict[str, str]:
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}

    def _send(
        self, method: str, path: str, body: bytes | None = None, key: str | None = None
    ) -> Json:
        headers = {"Accept": "application/json", **self.authorization()}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        status, answer = self._exchange(method, path, body, headers)
        return self._read(status, answer)

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        self.connect()
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as problem:
            self._connection.close()
            raise Unavailable(
                f"{self.url} did not finish its answer: {problem or type(problem).__name__}",
                hint="ask again with the same idempotency key: it is never booked twice",
                outcome="unknown",
            ) from None

    def _read(self, status: int, answer: bytes) -> Json:
        try:
            document = json.loads(answer)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise BudgetError(
                f"{self.url} answered {status} and no JSON object",
                hint="another program may have this port; `budget doctor` looks closer",
            )
        if status >= http.client.BAD_REQUEST:
            raise from_problem(document)
        return document


def no_daemon(url: str, problem: OSError | None = None) -> Unavailable:
    """Nobody is there: what every verb says then."""
    why = f" ({problem.strerror})" if problem is not None and problem.strerror else ""
    return Unavailable(
        f"no daemon at {url}{why}", hint="start it with `budget up`", outcome="not-applied"
    )


def _connect(url: str, timeout_s: float, pinned: str | None) -> http.client.HTTPConnection:
    try:
        return connection(url, timeout_s, pinned)
    except ValueError as problem:
        raise BudgetError(str(problem), hint="write for example http://127.0.0.1:8013") from None
