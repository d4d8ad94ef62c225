"""A provider of models on a port of its own: answers as OpenAI's does, streamed or not."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
RESPONSES_USAGE = {
    "input_tokens": 1000, "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 100, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 1100,
}  # fmt: skip
CHUNK = {"id": "chatcmpl-s", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}


class Handler(BaseHTTPRequestHandler):
    asked: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        if body["model"] == "refused":
            self._reply(400, "application/json", json.dumps({"error": {"message": "no"}}))
        elif body.get("stream"):
            events = list(_events(body))
            if body.get("user") == "breaks":
                del events[1:]
            text = "".join(f"data: {event}\n\n" for event in events)
            self._reply(200, "text/event-stream", text)
        else:
            self._reply(200, "application/json", json.dumps(self._whole(body)))

    def _whole(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.path.endswith("/embeddings"):
            data = [{"object": "embedding", "index": 0, "embedding": [0.0]}]
            usage = {"prompt_tokens": 1000, "total_tokens": 1000}
            return {"object": "list", "data": data, "model": body["model"], "usage": usage}
        if self.path.endswith("/responses"):
            return {"id": "resp-1", "object": "response", "created_at": 1, "status": "completed",
                    "model": body["model"], "output": [], "usage": RESPONSES_USAGE}  # fmt: skip
        message = {"role": "assistant", "content": "yes"}
        choices = [{"index": 0, "finish_reason": "stop", "message": message}]
        return {"id": f"chatcmpl-{len(self.asked)}", "object": "chat.completion", "created": 1,
                "model": body["model"], "choices": choices, "usage": USAGE}  # fmt: skip

    def _reply(self, status: int, kind: str, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        pass


def _events(body: dict[str, Any]) -> Iterator[str]:
    for word in ("yes", " sir"):
        yield json.dumps(CHUNK | {"choices": [{"index": 0, "delta": {"content": word}}]})
    if (body.get("stream_options") or {}).get("include_usage"):
        yield json.dumps(CHUNK | {"choices": [], "usage": USAGE})
    yield "[DONE]"


@contextmanager
def provider() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Its address, and what it was asked."""
    asked: list[dict[str, Any]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"asked": asked}))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
