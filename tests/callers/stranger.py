"""A program on a port that says what it was told to say, and remembers what it was asked."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stranger(*answers: bytes | None) -> Iterator[tuple[str, list[bytes]]]:
    """A program on a port: one answer for each connection, b"" hangs up, None says nothing."""
    heard: list[bytes] = []
    done = threading.Event()

    def serve(port: socket.socket) -> None:
        for answer in answers:
            link, _ = port.accept()
            with link:
                heard.append(_request(link))
                if answer is None:
                    done.wait(5)
                else:
                    link.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as port:
        thread = threading.Thread(target=serve, args=(port,))
        thread.start()
        yield f"http://127.0.0.1:{port.getsockname()[1]}", heard
        done.set()
        thread.join()


def _request(link: socket.socket) -> bytes:
    """One request, head and body."""
    with link.makefile("rb") as lines:
        head = list(iter(lines.readline, b"\r\n"))
        length = [
            line.split(b":")[1] for line in head if line.lower().startswith(b"content-length")
        ]
        return b"".join([*head, b"\r\n", lines.read(int(length[0]) if length else 0)])


def as_http(status: str, body: dict[str, object]) -> bytes:
    text = json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    return head.encode() + text
