"""HTTP from a thread that waits: over TCP, TLS or a unix socket, connections kept open."""

import http.client
import select
from collections import deque
from collections.abc import Callable

from tekton_budget.ask import Ask
from tekton_budget.connection import connection
from tekton_budget.errors import broke_off, no_daemon, read
from tekton_budget.find import Place

IDLE_MAX = 8
"""Connections that are kept for the next caller."""


class Wire:
    """Sends one ask at a time over each connection; many threads may send at once.

    Where the daemon is, is asked for each new connection: a restarted one may be elsewhere.
    """

    def __init__(self, where: Callable[[], Place], timeout_s: float) -> None:
        self._where = where
        self._timeout_s = timeout_s
        self._idle: deque[tuple[Place, http.client.HTTPConnection]] = deque()

    def send(self, ask: Ask[object]) -> dict[str, object]:
        """The answer as JSON. Raises `BudgetError`."""
        place, link = self._take()
        try:
            link.request(ask.method, ask.target, ask.body, ask.headers(place.token))
            response = link.getresponse()
            status, body = response.status, response.read()
        except (OSError, http.client.HTTPException) as problem:
            link.close()
            raise broke_off(place.url, problem) from None
        if link.sock is None or len(self._idle) >= IDLE_MAX:
            link.close()
        else:
            self._idle.append((place, link))
        return read(place.url, status, body)

    def _take(self) -> tuple[Place, http.client.HTTPConnection]:
        while self._idle:
            try:
                place, link = self._idle.pop()
            except IndexError:  # another thread was quicker
                break
            if not _gone(link):
                return place, link
            link.close()
        place = self._where()
        link = connection(place.url, self._timeout_s, place.pinned)
        try:
            link.connect()
        except OSError as problem:
            raise no_daemon(place.url, problem) from None
        return place, link

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()


def _gone(link: http.client.HTTPConnection) -> bool:
    """An idle connection on which something can be read has been closed at the other end."""
    if link.sock is None:
        return True
    look = select.poll()
    look.register(link.sock, select.POLLIN)
    return bool(look.poll(0))
