"""MCP between two pipes and the daemon: each line is one POST, each answer one or more lines.

Standard library only, and nothing of the protocol is understood beyond what HTTP needs: which
version, which method, which request is cancelled. Each message that is under way has a thread,
because the answer to one may take as long as a stream lives.
"""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from daemon.client.call import Client, Json
from protocols.errors import BudgetError

PATH = "/mcp"
VERSION = "io.modelcontextprotocol/protocolVersion"
SESSION_HEADER = "Mcp-Session-Id"
VERSION_HEADER = "MCP-Protocol-Version"
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""Methods whose object stands in a header of its own, and where it is in the message."""
NO_DAEMON = -32000
LISTENING, RENEWING = object(), object()
"""Exchanges of our own: what the daemon says by itself, and a handshake done again."""
INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
Connection = http.client.HTTPConnection


class Pump:
    """One client's messages, passed on until it closes its end."""

    def __init__(self, find: Callable[[], Client], messages: BinaryIO, answers: BinaryIO) -> None:
        self._find = find
        self._messages = messages
        self._answers = answers
        self._writing = threading.Lock()
        self._session: dict[str, str] = {}
        """Headers of the older protocol era, once a session is open."""
        self._open: dict[Any, Connection] = {}
        self._threads: list[threading.Thread] = []
        self._hello = b""
        self._renewing = threading.Lock()

    def run(self) -> None:
        for line in self._messages:
            if line.strip():
                self._take(line)
        for connection in list(self._open.values()):
            _hang_up(connection)
        for thread in self._threads:
            thread.join()
        self._end_session()

    def _take(self, line: bytes) -> None:
        """Pass a message on; the next one need not wait for its answer, but for the handshake."""
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            self._refuse(None, -32700, "this line is not one JSON object")
            return
        method = message.get("method")
        if method == "notifications/cancelled" and not self._session:
            _hang_up(self._open.get(_params(message).get("requestId")))
        elif method == "initialize" or "id" not in message:
            self._exchange(message, line)
        else:
            self._start(self._exchange, message, line)
        if method == "notifications/initialized":
            self._start(self._listen)

    def _start(self, call: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=call, args=args, daemon=True)
        self._threads = [alive for alive in self._threads if alive.is_alive()] + [thread]
        thread.start()

    def _exchange(self, message: Json, line: bytes) -> None:
        number = message.get("id") if "method" in message else None
        try:
            self._post(number, message, line)
        except BudgetError as refusal:
            self._refuse(number, NO_DAEMON, f"{refusal.detail}; {refusal.hint}", refusal)
        except (OSError, http.client.HTTPException, ValueError) as broken:
            self._refuse(number, NO_DAEMON, f"the daemon did not finish its answer: {broken}")

    def _post(self, number: Any, message: Json, line: bytes, *, again: bool = True) -> None:
        session = self._session
        opening = message.get("method") == "initialize"
        with self._connected(number) as (client, connection):
            connection.request("POST", PATH, line, self._headers(client, message))
            response = connection.getresponse()
            lost = bool(session) and not opening and response.status == http.client.NOT_FOUND
            if opening:
                self._hello = line
                self._remember(response)
            for answer in () if lost else _answers(response):
                if opening:
                    self._agree(answer)
                self._write(number, answer, response.status)
        if lost and again and self._renewed(session):
            self._post(number, message, line, again=False)
        elif lost:
            self._refuse(number, NO_DAEMON, "the session has ended; connect again")

    def _renewed(self, session: dict[str, str]) -> bool:
        """Shake hands again for the client: the daemon has started anew since."""
        with self._renewing:
            if self._session is not session:
                return True  # somebody else was faster
            self._session = {}
            for line in (self._hello, INITIALIZED):
                with self._connected(RENEWING) as (client, connection):
                    connection.request("POST", PATH, line, self._headers(client, {}))
                    response = connection.getresponse()
                    if line is self._hello:
                        self._remember(response)
                    for answer in _answers(response):
                        self._agree(answer)
        self._start(self._listen)
        return bool(self._session)

    @contextmanager
    def _connected(self, number: Any) -> Iterator[tuple[Client, Connection]]:
        """Find the daemon anew: it may have started, or moved, since the last message."""
        client = self._find()
        connection = client.connect()
        connection.sock.settimeout(None)
        self._open[number] = connection
        try:
            yield client, connection
        finally:
            self._open.pop(number, None)
            connection.close()

    def _headers(self, client: Client, message: Json) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **client.authorization(),
        }
        params = _params(message)
        version = _dict(params.get("_meta")).get(VERSION)
        if isinstance(version, str):
            headers |= {VERSION_HEADER: version, "Mcp-Method": str(message.get("method"))}
            name = params.get(NAMED.get(str(message.get("method")), ""))
            if isinstance(name, str):
                headers["Mcp-Name"] = name
            return headers
        return headers | self._session

    def _remember(self, response: http.client.HTTPResponse) -> None:
        session = response.getheader(SESSION_HEADER)
        self._session = {SESSION_HEADER: session} if session else {}

    def _agree(self, answer: bytes) -> None:
        """Say in every later request what the handshake settled on."""
        with suppress(ValueError):
            version = _dict(_dict(json.loads(answer)).get("result")).get("protocolVersion")
            if self._session and isinstance(version, str):
                self._session[VERSION_HEADER] = version

    def _listen(self) -> None:
        """Take what the daemon says by itself, in the older protocol era."""
        with (
            suppress(BudgetError, OSError, http.client.HTTPException, ValueError),
            self._connected(LISTENING) as (client, connection),
        ):
            headers = {"Accept": "text/event-stream", **client.authorization(), **self._session}
            connection.request("GET", PATH, headers=headers)
            response = connection.getresponse()
            if response.status == http.client.OK:
                for answer in _answers(response):
                    self._write(None, answer, response.status)

    def _end_session(self) -> None:
        if SESSION_HEADER not in self._session:
            return
        with (
            suppress(BudgetError, OSError, http.client.HTTPException),
            self._connected(None) as (client, connection),
        ):
            connection.request("DELETE", PATH, headers=client.authorization() | self._session)
            connection.getresponse().read()

    def _write(self, number: Any, answer: bytes, status: int) -> None:
        """Pass on what is a message of the protocol; make one of what only HTTP says."""
        document = json.loads(answer)
        if isinstance(document, dict) and "error" in document and document.get("id") is None:
            document["id"] = number  # refused before it was read: whose it was, we know
        if not isinstance(document, dict) or "jsonrpc" not in document:
            detail = _dict(document).get("detail", f"the daemon answered {status}")
            hint = _dict(document).get("hint")
            self._refuse(number, NO_DAEMON, f"{detail}; {hint}" if hint else str(detail))
            return
        self._say(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())

    def _refuse(
        self, number: Any, code: int, words: str, refusal: BudgetError | None = None
    ) -> None:
        if number is None and code == NO_DAEMON:
            return  # a notification has no answer
        error: Json = {"code": code, "message": words}
        if refusal is not None:
            error["data"] = refusal.problem()
        self._say(json.dumps({"jsonrpc": "2.0", "id": number, "error": error}).encode())

    def _say(self, line: bytes) -> None:
        with self._writing:
            self._answers.write(line + b"\n")
            self._answers.flush()


def _answers(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield the JSON documents of an answer: the whole body, or each event of a stream."""
    kind = response.getheader("Content-Type", "")
    if not kind.startswith("text/event-stream"):
        body = response.read()
        if body:
            yield body if "json" in kind else json.dumps({"detail": response.reason}).encode()
        return
    data: list[bytes] = []
    for line in response:
        match line.rstrip(b"\r\n").partition(b":"):
            case (b"", b"", b"") if data:
                yield b"\n".join(data)
                data = []
            case (b"data", _, value) if value.strip():
                data.append(value.removeprefix(b" "))
            case _:
                pass


def _hang_up(connection: Connection | None) -> None:
    """End an exchange from outside: in the newer era that is how a request is cancelled."""
    if connection is not None and connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _params(message: Json) -> Json:
    return _dict(message.get("params"))


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
