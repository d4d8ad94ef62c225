"""One websocket: what it is told, and what it may say."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio
from aiohttp import WSCloseCode, WSMsgType, web
from pydantic_core import from_json

from protocols.errors import BudgetError, Unauthenticated
from protocols.feed import Frame
from protocols.http.patience import Patience
from protocols.http.reading import Reading
from protocols.http.settings import DoorSettings
from protocols.letter import TOPICS, envelope, letter, topics_of
from protocols.message import Caller

GREETING = "Connected to Budget WebSocket Server"
LOGIN_S = 10.0
"""How long a reader without an Authorization header has to say who it is."""

Admit = Callable[[str], Caller]


class Talk:
    """Listens and tells at once; ends with whichever ends first."""

    def __init__(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        topics: tuple[str, ...],
        settings: DoorSettings,
        patience: Patience,
        now_ms: Callable[[], int],
    ) -> None:
        self._request = request
        self._socket = socket
        self._first = topics[0]
        self._topics = set(topics)
        self._slow_s = settings.slow_s
        self._patience = patience
        self._heartbeat_s = settings.heartbeat_s
        self._now_ms = now_ms

    async def greet(self) -> None:
        await self._say("budget_update", self._first, {"message": GREETING})

    async def login(self, admit: Admit) -> str:
        """Wait for an `authentication` message. Raises `Unauthenticated`."""
        with anyio.move_on_after(LOGIN_S):
            async for said in self._socket:
                message = _read(said.data) if said.type is WSMsgType.TEXT else None
                if message is None or message["type"] != "authentication":
                    await self._complain("say who you are first: authentication with an api_key")
                    continue
                header = f"Bearer {message['payload'].get('api_key')}"
                admit(header)
                await self._say("authentication", "authentication", {"success": True})
                return header
        raise Unauthenticated("nobody said who reads here")

    async def run(self, reading: Reading, check: Callable[[], object]) -> bool:
        """Until the reader leaves, reads too slowly (then it is False), or `check` raises."""
        in_time = True
        failure: BudgetError | None = None
        async with anyio.create_task_group() as tasks:

            async def listen() -> None:
                with suppress(ConnectionError):
                    async for said in self._socket:
                        await self._hear(said.data if said.type is WSMsgType.TEXT else "")
                tasks.cancel_scope.cancel()

            tasks.start_soon(listen)
            try:
                with suppress(ConnectionError):
                    in_time = await self._tell(reading, check)
            except BudgetError as refusal:
                failure = refusal  # as itself, not in a group
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return in_time

    async def _tell(self, reading: Reading, check: Callable[[], object]) -> bool:
        """False, once the reader is too slow."""
        in_time = True
        while in_time:
            page = None
            with anyio.move_on_after(self._heartbeat_s):
                page = await reading.page()
            check()
            in_time = await self._in_time(page)
        return in_time

    async def _in_time(self, page: list[Frame] | None) -> bool:
        """Whether the reader took it. One that does not has lost nothing: `after` has the rest."""
        with self._patience.with_reader() as limit:
            if page is None:
                await self._beat()
            for frame in page or ():
                for topic in topics_of(frame):
                    if topic in self._topics:
                        await self._socket.send_str(letter(frame, topic))
        return not limit.cancelled_caught

    async def end(self, code: WSCloseCode, why: bytes) -> None:
        """Close, and cut the line if the other side does not even take that."""
        with anyio.move_on_after(self._slow_s, shield=True) as limit:
            await self._socket.close(code=code, message=why)
        if limit.cancelled_caught and self._request.transport is not None:
            self._request.transport.abort()

    async def _hear(self, text: str) -> None:
        message = _read(text)
        if message is None:
            await self._complain("a message is {type, topic, payload}")
            return
        match message["type"], message["payload"].get("topic", message.get("topic")):
            case "heartbeat", _:
                await self._beat()
            case "authentication", _:
                await self._say("authentication", "authentication", {"success": True})
            case "subscription" | "unsubscription" as kind, topic:
                if topic in TOPICS:
                    (self._topics.add if kind == "subscription" else self._topics.discard)(topic)
                await self._say(kind, str(topic), {"success": topic in TOPICS, "topic": topic})
            case kind, _:
                await self._complain(f"there is no message of type {kind!r:.80}")

    async def _beat(self) -> None:
        await self._say("heartbeat", self._first, {"time_ms": self._now_ms()})

    async def _complain(self, detail: str) -> None:
        await self._say("error", "error", {"error": detail})

    async def _say(self, kind: str, topic: str, payload: dict[str, Any]) -> None:
        await self._socket.send_str(envelope(kind, topic, payload, self._now_ms()))


def _read(text: str) -> dict[str, Any] | None:
    """A message with a type and a payload, or nothing of the sort."""
    try:
        message = from_json(text)
    except ValueError:
        return None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return None
    message.setdefault("payload", {})
    return message if isinstance(message["payload"], dict) else None
