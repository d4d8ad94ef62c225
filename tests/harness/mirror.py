"""A server of price files that can be told to misbehave, and small files in the sources' shapes."""

import gzip
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

PER_TOKEN = 10**6
FILLER = 100
"""Models that never change, so that one that does is a small share of the file."""

Rates = dict[str, dict[str, float]]
"""Model → kind → USD per million."""
Behaviour = Callable[["Handler"], None]


def filler() -> Rates:
    return {f"filler-{n}": {"input": 1.0, "output": 4.0} for n in range(FILLER)}


def litellm_file(prices: Rates) -> bytes:
    """The shape of LiteLLM's file, provider acme."""
    rows: dict[str, Any] = {"sample_spec": {"mode": "one of: chat, embedding"}}
    names = {
        "input": "input_cost_per_token",
        "output": "output_cost_per_token",
        "cache_read": "cache_read_input_token_cost",
    }
    for model, rates in (filler() | prices).items():
        costs = {names[kind]: rate / PER_TOKEN for kind, rate in rates.items()}
        rows[f"acme/{model}"] = {"litellm_provider": "acme", "mode": "chat", **costs}
    return json.dumps(rows).encode()


def models_dev_file(prices: Rates) -> bytes:
    """The shape of models.dev's api.json, provider acme."""
    models = {
        model: {"id": model, "cost": rates, "modalities": {"output": ["text"]}}
        for model, rates in (filler() | prices).items()
    }
    return json.dumps({"acme": {"id": "acme", "models": models}}).encode()


class Handler(BaseHTTPRequestHandler):
    """Does what its path was told to do."""

    server: "Server"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # the base class names it
        self.server.asked.append(self.path)
        self.server.arrived.set()
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.server.doing[self.path](self)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """`doing` is what each path does; `arrived` is set by every request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.doing: dict[str, Behaviour] = {}
        self.asked: list[str] = []
        self.arrived = Event()
        self.over = Event()
        self.scheme = "http"

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.server_port}{path}"

    def serve(self, path: str, body: bytes) -> None:
        """Serve a file as a good server does: with an etag, and 304 to who has it."""
        etag = f'"{hash(body)}"'

        def give(handler: Handler) -> None:
            if handler.headers.get("If-None-Match") == etag:
                handler.answer(304)
            else:
                handler.answer(200, body, ETag=etag)

        self.doing[path] = give

    def handle_error(self, *_: object) -> None:
        """A client that left is no news."""


@contextmanager
def mirror(certificate: Path | None = None) -> Iterator[Server]:
    """With a certificate (and its key in the same file) it speaks TLS."""
    server = Server()
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.scheme = "https"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


# What a server may do


def hang(handler: Handler) -> None:
    handler.server.over.wait()


def drip(handler: Handler) -> None:
    """Headers, and then one byte for ever so long."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.wfile.flush()
    handler.server.over.wait()


def endless(handler: Handler) -> None:
    """Zeros without end; the client has to stop."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.over.is_set():
        handler.wfile.write(bytes(65_536))


def bomb(handler: Handler) -> None:
    """A hundred megabytes of zeros in a hundred kilobytes."""
    handler.answer(200, gzip.compress(bytes(100_000_000), 1), Content_Encoding="gzip")


def cut_off(handler: Handler) -> None:
    """Half of what was promised."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"{" * 500)
    handler.close_connection = True


def status(code: int) -> Behaviour:
    return lambda handler: handler.answer(code)


def redirect(to: str) -> Behaviour:
    return lambda handler: handler.answer(302, Location=to)


def page(body: bytes) -> Behaviour:
    return lambda handler: handler.answer(200, body)
