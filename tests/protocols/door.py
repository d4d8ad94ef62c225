"""The door over a desk that answers from a dict: a fake of the Ask port, served for real."""

import asyncio  # noqa: TID251  # answers come later, as from the actors
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import anyio
import anyio.abc

from actors.alerts.feed import LiveFeed
from protocols.errors import Unauthenticated
from protocols.http import Condition, Crowd, DoorSettings, Listening, application, serve
from protocols.http.routes import Handler
from protocols.ledger import Booked, Held, Reservation
from protocols.mcp import McpDoor
from protocols.message import Caller, Done, Request

R = TypeVar("R")

TOKENS = {
    "Bearer admin": Caller("root", "admin"),
    "Bearer report": Caller("apollo", "report", frozenset({"apollo"})),
    "Bearer read": Caller("viewer", "read"),
    "Bearer scoped": Caller("narrow", "read", frozenset({"apollo", "rhetor"})),
    "Bearer propose": Caller("assistant", "propose"),
}
ADMIN = {"Authorization": "Bearer admin"}
RESERVATION_ID = "rsv_" + "0" * 32
RESERVE = {"component": "apollo", "model": "claude-haiku-4-5", "input_tokens": 100}


def reservation(component: str = "apollo") -> Reservation:
    return Reservation(
        reservation_id=RESERVATION_ID,
        status="held",
        outcome="allowed",
        component=component,
        provider="anthropic",
        model="claude-haiku-4-5",
        held=Held("0.012000000", 100, 1),
        price_version="2026-11-01",
        estimated=False,
        expires_at="2026-11-23T12:00:00.000Z",
        warnings=[],
        policies=[],
    )


def booked() -> Booked:
    return Booked(RESERVATION_ID, "settled", "settled", "0.001000000", 120, "ent_1")


@dataclass
class Desk:
    """Keeps what it was asked, and answers by the name of the request's class."""

    answers: dict[str, Any] = field(
        default_factory=lambda: {"Reserve": reservation(), "Settle": booked()}
    )
    asked: list[tuple[str, Request[Any], Caller]] = field(default_factory=list)

    async def __call__(self, to: str, request: Request[R], caller: Caller) -> R:
        self.asked.append((to, request, caller))
        answer: Any = self.answers[type(request).__name__]
        if callable(answer):
            answer = await answer(request)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    def put(self, to: str, request: Request[Any], caller: Caller, done: Done) -> None:
        async def answer() -> None:
            try:
                reply = await self(to, request, caller)
            except Exception as error:  # noqa: BLE001  # whatever a test's desk raises
                reply = error
            done(reply)

        asyncio.get_running_loop().create_task(answer())


@dataclass
class Health:
    version: str = "1.2.3"
    why: str | None = None
    how: Condition = "healthy"

    def status(self) -> Condition:
        return self.how

    def overview(self) -> Mapping[str, Any]:
        return {"status": self.how, "component": "budget", "version": self.version}

    def running(self) -> Mapping[str, object]:
        return {"status": "running", "health": self.how}

    def unready(self) -> str | None:
        return self.why

    def readiness(self) -> Mapping[str, object]:
        return {"status": "ready"}

    def details(self) -> Mapping[str, object]:
        return {"uptime_s": 7}


def authenticate(authorization: str | None) -> Caller:
    caller = TOKENS.get(authorization or "")
    if caller is None:
        raise Unauthenticated("not one of ours")
    return caller


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def code(self) -> object:
        return self.body["code"]


@dataclass
class Door:
    """An open door, and the two ways through it: a client, and bare bytes."""

    desk: Desk
    health: Health
    listening: Listening
    session: aiohttp.ClientSession

    async def send(self, method: str, path: str, **options: Any) -> Reply:
        headers = {**ADMIN, **options.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        async with self.session.request(method, path, headers=headers, **options) as answer:
            body = await answer.read()
            return Reply(answer.status, answer.headers, json.loads(body) if body else None)

    async def post(self, path: str, body: object, **headers: str) -> Reply:
        return await self.send("POST", f"/api/v1{path}", json=body, headers=headers)

    async def get(self, path: str, token: str = "admin") -> Reply:
        return await self.send("GET", path, headers={"Authorization": f"Bearer {token}"})

    async def raw(self, sent: bytes) -> Reply:
        """What comes back, until the door closes the connection or the answer is complete."""
        assert self.listening.port is not None
        with anyio.fail_after(5):
            async with await anyio.connect_tcp("127.0.0.1", self.listening.port) as stream:
                await stream.send(sent)
                return await received(stream)


async def received(stream: anyio.abc.ByteReceiveStream) -> Reply:
    data = b""
    while b"\r\n\r\n" not in data:
        data += await stream.receive()
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    while len(body) < int(headers["Content-Length"]):
        body += await stream.receive()
    return Reply(int(lines[0].split()[1]), headers, json.loads(body))


@asynccontextmanager
async def open_door(
    pages: Mapping[str, Handler] | None = None, crowd: Crowd | None = None, **settings: Any
) -> AsyncIterator[Door]:
    """Open a door on a free port. `pages` are routes written by hand, by path."""
    desk, health = Desk(), Health()
    chosen = DoorSettings(**({"port": 0, "stop_s": 1.0} | settings))
    crowd = crowd or Crowd()
    app = application(crowd.asking(desk), desk.put, authenticate, health, crowd, chosen)
    mcp = McpDoor(desk, authenticate, chosen, health.version, LiveFeed())
    mcp.add_routes(app.router)
    for path, page in (pages or {}).items():
        app.router.add_get(path, page)
    async with (
        serve(app, chosen) as listening,
        mcp.run(),
        aiohttp.ClientSession(base_url=listening.url) as session,
    ):
        yield Door(desk, health, listening, session)
