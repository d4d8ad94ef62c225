"""A real daemon under test: its own process, its own directory, started and killed at will.

Nothing waits by sleeping. A thread reads what the daemon writes to stderr; whoever waits for a
line is woken by it.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Thread
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import aiohttp

READY = "budget is ready on"
READY_WITHIN_S = 30.0
STOPPED_WITHIN_S = 15.0
PREFIX = "/api/v1"

Json = Mapping[str, Any]


class Answer(NamedTuple):
    """What came back: `raw` as it stood on the wire, `body` what it says."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class Daemon:
    """A data directory, and the daemon on it while one runs."""

    def __init__(self, home: Path, config: str = "") -> None:
        self.data_dir = home / "data"
        self.config = home / "budget.toml"
        self.config.write_text(config)
        self.under: list[str] = []
        """A command that runs it, such as one that takes rights away."""
        self.flags: list[str] = []
        """Of `serve`, beyond the usual."""
        self.program = "daemon"
        """The module that is run."""
        self.extra: dict[str, str] = {}
        """Of the environment."""
        self.lines: list[str] = []
        self._heard = Condition()
        self.started = False

    def start(self) -> Self:
        """Run, and wait until it says that it is ready."""
        self.spawn()
        self.wait_for(READY)
        return self

    def spawn(self) -> Self:
        """Run, whatever comes of it."""
        self.lines = []
        self.started = True
        serve = ["serve", "--port", "0"]
        where = ["--data-dir", str(self.data_dir), "--config", str(self.config)]
        self._process = subprocess.Popen(
            [*self.under, sys.executable, "-P", "-m", self.program, *serve, *where, *self.flags],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=self.environ(),
            text=True,
        )
        self._reader = Thread(target=self._read, args=(self._process,))
        self._reader.start()
        return self

    def environ(self) -> dict[str, str]:
        """Ours, but nothing of a budget daemon, and no word to the outside world."""
        env = {name: value for name, value in os.environ.items() if "BUDGET" not in name}
        return env | {"BUDGET_PRICES__REFRESH_HOURS": "0"} | self.extra

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                with self._heard:
                    self.lines.append(line)
                    self._heard.notify_all()
        process.wait()
        with self._heard:
            self._heard.notify_all()

    def wait_for(self, text: str) -> str:
        """The first line that contains the text."""
        with self._heard:
            self._heard.wait_for(
                lambda: self._saying(text) or self._process.returncode is not None, READY_WITHIN_S
            )
        line = self._saying(text)
        assert line is not None, f"no line says {text!r}:\n{self.said}"
        return line

    def _saying(self, text: str) -> str | None:
        return next((line for line in self.lines if text in line), None)

    @property
    def said(self) -> str:
        return "".join(self.lines)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def told(self) -> Json:
        """What it tells programs about itself."""
        told: Json = json.loads((self.data_dir / "daemon.json").read_text())
        return told

    @property
    def token(self) -> str:
        return self.token_of("../token")

    def token_of(self, name: str) -> str:
        return (self.data_dir / "tokens" / name).read_text().strip()

    def until_told(self) -> None:
        """Wait until programs are told where it is: for a daemon that cannot say it is ready."""
        deadline = time.monotonic() + READY_WITHIN_S
        while not (self.data_dir / "daemon.json").exists():
            assert time.monotonic() < deadline
            assert self.alive
            time.sleep(0.02)

    def kill(self) -> None:
        """As `kill -9`: no last word."""
        self._process.kill()
        self.wait()

    def terminate(self) -> None:
        """As an init system does."""
        self._process.send_signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.terminate()
        return self.wait()

    def wait(self, within_s: float = STOPPED_WITHIN_S) -> int:
        """The exit code, once it has ended and all it said was read. It does not outlive this."""
        try:
            return self._process.wait(within_s)
        finally:
            self._process.kill()
            self._reader.join()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        token: str | None = None,
    ) -> Answer:
        """Ask it one thing over a connection of its own."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        place = urlsplit(self.told["url"])
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, headers)
            return answer_of(connection.getresponse())
        finally:
            connection.close()

    def get(self, path: str, *, token: str | None = None) -> Answer:
        return self.call("GET", PREFIX + path, token=token)

    def post(
        self, path: str, body: object, *, key: str | None = None, token: str | None = None
    ) -> Answer:
        return self.call("POST", PREFIX + path, body, key=key, token=token)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", PREFIX + path)

    def until(self, path: str, fits: Callable[[Any], bool]) -> Any:
        """Ask again and again until the answer fits; what only time can bring."""
        deadline = time.monotonic() + 10
        while not fits(body := self.get(path).body):
            assert time.monotonic() < deadline, body
        return body

    def session(
        self, *, connections: int = 100, socket: str | None = None
    ) -> aiohttp.ClientSession:
        """Many callers at once, over TCP or the unix socket."""
        connector: aiohttp.BaseConnector = aiohttp.TCPConnector(limit=connections)
        if socket is not None:
            connector = aiohttp.UnixConnector(socket, limit=connections)
        headers = {"Authorization": f"Bearer {self.token}"}
        return aiohttp.ClientSession(self.told["url"], connector=connector, headers=headers)


def answer_of(response: http.client.HTTPResponse) -> Answer:
    return Answer(response.status, response.headers, response.read())


@contextmanager
def running(home: Path, config: str = "") -> Iterator[Daemon]:
    """A daemon that is ready; when left, it is gone."""
    daemon = Daemon(home, config).start()
    try:
        yield daemon
    finally:
        if daemon.alive:
            daemon.kill()
