"""Callers under load, who note every answer they get and hold the daemon to it afterwards."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
import anyio

from daemon.journal.verify import verify
from tests.daemon_process import PREFIX, Answer, Daemon

CALLERS = 12
COMPONENTS = 5
ANSWERS = 250
"""How many answers a round sees before the daemon dies."""
HANG_UPS = 0.03
"""The share of requests whose caller leaves before the answer."""

CONFIG = """
[[policy]]
name = "roomy"
each = "component"
limit = { usd = "900", tokens = 900_000_000 }
period = "daily"

[[policy]]
name = "tight"
match = { component = "component-0" }
limit = { calls = 8 }
period = "total"
"""
RESERVE = {"model": "claude-haiku-4-5", "input_tokens": 900, "max_output_tokens": 300}
USAGES: list[dict[str, Any]] = [
    {"input_tokens": 700, "cache_creation_input_tokens": 90, "output_tokens": 240},
    {"prompt_tokens": 900, "completion_tokens": 4_000},
    {"input": 3, "output": 1},
]


@dataclass
class Operation:
    """What a caller asked for, the kind of entry it should become, and its first answer."""

    effect: str
    path: str
    body: dict[str, Any]
    key: str
    answer: Answer | None = None

    @property
    def became(self) -> str:
        assert self.answer is not None
        return "denied" if self.answer.status == 402 else self.effect


@dataclass
class Notes:
    """Every operation ever sent, in order; `enough` is set when so many were answered."""

    operations: list[Operation] = field(default_factory=list)
    answered: int = 0
    enough: anyio.Event = field(default_factory=anyio.Event)

    def note(self, operation: Operation, answer: Answer) -> None:
        operation.answer = answer
        self.answered += 1
        if self.answered == ANSWERS:
            self.enough.set()


async def load(daemon: Daemon, notes: Notes, number: int) -> None:
    """Callers that go on until nobody answers."""
    async with daemon.session() as session, anyio.create_task_group() as group:
        for caller in range(CALLERS):
            random = Random(f"{number} {caller}")
            group.start_soon(spend, session, notes, random, f"component-{caller % COMPONENTS}")


async def spend(
    session: aiohttp.ClientSession, notes: Notes, random: Random, component: str
) -> None:
    async def do(effect: str, path: str, **body: object) -> Answer | None:
        operation = Operation(effect, path, body, f"{random.getrandbits(128):032x}")
        notes.operations.append(operation)
        patience_s = 0.01 * random.random() if random.random() < HANG_UPS else 60
        with anyio.move_on_after(patience_s):
            answer = await ask(session, operation)
            if answer.status < 500:
                notes.note(operation, answer)
                return answer
        return None

    try:
        while True:
            usage = random.choice(USAGES)
            end = random.choice(["record", "release", "settle", "settle", "hold"])
            if end == "record":
                await do("recorded", "/usage", component=component, model="gpt-5", usage=usage)
                continue
            held = await do("held", "/reservations", component=component, **RESERVE)
            if held is None or held.status != 201 or end == "hold":
                continue
            place = f"/reservations/{held.body['reservation_id']}"
            if end == "release":
                await do("released", f"{place}/release")
            else:
                await do("settled", f"{place}/settle", usage=usage)
    except (aiohttp.ClientError, ConnectionError):
        return


async def ask(session: aiohttp.ClientSession, operation: Operation) -> Answer:
    headers = {"Idempotency-Key": operation.key}
    url = PREFIX + operation.path
    async with session.post(url, json=operation.body, headers=headers) as response:
        return Answer(response.status, response.headers, await response.read())


async def hold_to_its_word(daemon: Daemon, operations: list[Operation]) -> None:
    """What was acknowledged is there, and stands where the last answer about it left it."""
    await repeat(daemon, operations)
    check_states(daemon, operations)
    assert verify(daemon.data_dir).problems == []


async def repeat(daemon: Daemon, operations: list[Operation]) -> None:
    """Every key repeats its first answer; what had none is decided now, and stays so."""
    written = {entry["entry_id"]: entry for entry in every(daemon, "/entries")}
    async with daemon.session() as session:
        for operation in operations:
            if operation.answer is not None:
                check_written(operation, written)
            again = await ask(session, operation)
            if operation.answer is None:
                operation.answer = again
                again = await ask(session, operation)
            assert again.status in {200, 201, 402}, again.body
            assert (again.status, again.raw) == (operation.answer.status, operation.answer.raw)


def check_written(operation: Operation, written: dict[str, Any]) -> None:
    """What was acknowledged is in the journal, under the entry that the answer names."""
    assert operation.answer is not None
    if operation.effect != "held":
        entry = written[operation.answer.body["entry_id"]]
        assert plain(entry["kind"]) == operation.effect
        assert entry["subject"] in operation.path


def check_states(daemon: Daemon, operations: list[Operation]) -> None:
    """Every reservation stands where the last answer about it left it."""
    told: dict[str, str] = {}
    for operation in operations:
        assert operation.answer is not None
        if operation.became in {"held", "settled", "released"}:
            answer = operation.answer.body
            told[answer["reservation_id"]] = answer["status"]
    shown = {row["id"]: row["status"] for row in every(daemon, "/reservations")}
    assert told.items() <= shown.items()


def check_one_effect_each(daemon: Daemon, operations: list[Operation]) -> None:
    """As many entries of each kind as keys that ended so: none has two effects, none has none."""
    told = Counter(operation.became for operation in operations)
    kinds = Counter(plain(entry["kind"]) for entry in every(daemon, "/entries"))
    assert {kind: kinds[kind] for kind in told} == told


def plain(kind: str) -> str:
    """A settle is a settle, however it met its hold."""
    return "settled" if kind == "overrun" else kind


def every(daemon: Daemon, path: str) -> Iterator[dict[str, Any]]:
    """The items of a list, page after page."""
    cursor: str | None = ""
    while cursor is not None:
        after = f"&cursor={cursor}" if cursor else ""
        page = daemon.get(f"{path}?limit=1000{after}").body
        yield from page["items"]
        cursor = page["next_cursor"]
