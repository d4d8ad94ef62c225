"""Listening to the daemon: its events as they come, taken up again where the line broke."""

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from daemon.client.call import PREFIX, Client
from protocols.errors import BudgetError, Unavailable, from_problem

Json = dict[str, Any]
PAUSE_S = 2.0
DATA = b"data: "


def follow(
    client: Client, query: Mapping[str, Any], sleep: Callable[[float], None] = time.sleep
) -> Iterator[Json]:
    """Every event that fits, for ever. Raises `BudgetError` for a refusal and for no daemon at
    the first try; later it waits for the daemon to come back, and misses nothing.
    """
    asked = {name: value for name, value in query.items() if value is not None}
    begun = False
    while True:
        try:
            for event in _stream(client, asked):
                begun = True
                asked["after"] = event["seq"]
                yield event
        except Unavailable:
            if not begun and "after" not in asked:
                raise
        begun = True
        sleep(PAUSE_S)


def _stream(client: Client, query: Mapping[str, Any]) -> Iterator[Json]:
    connection = client.connect()
    try:
        path = f"{PREFIX}/events?{urlencode(query)}"
        connection.request("GET", path, headers=client.authorization())
        answer = connection.getresponse()
        if answer.status >= http.client.BAD_REQUEST:
            raise from_problem(json.loads(answer.read()))
        for line in answer:
            if line.startswith(DATA):
                yield json.loads(line.removeprefix(DATA))
    except (OSError, http.client.HTTPException, ValueError) as problem:
        if isinstance(problem, BudgetError):
            raise
        raise Unavailable(f"the stream broke off: {problem}", outcome="not-applied") from None
    finally:
        connection.close()
