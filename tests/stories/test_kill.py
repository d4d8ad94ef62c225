"""Nothing acknowledged is lost to `kill -9`, and no key ever has two effects.

Several callers reserve, settle, record and release under load and note down every answer they
get. The daemon is killed in the middle, started again on the same directory, and held to each
answer it ever gave.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import anyio
import pytest

from daemon.journal.verify import verify
from tests.daemon_process import PREFIX, Answer, Daemon, running

pytestmark = pytest.mark.anyio

CALLERS = 12
ROUNDS = 4
ANSWERS = 250
"""How many answers a round sees before the daemon dies."""

CONFIG = """
[[policy]]
name = "roomy"
each = "component"
limit = { usd = "900", tokens = 900_000_000 }
period = "daily"

[[policy]]
name = "tight"
match = { component = "component-0" }
limit = { calls = 40 }
period = "total"
"""
RESERVE = {"model": "claude-haiku-4-5", "input_tokens": 900, "max_output_tokens": 300}
USAGES: list[dict[str, Any]] = [
    {"input_tokens": 700, "cache_creation_input_tokens": 90, "output_tokens": 240},
    {"prompt_tokens": 900, "completion_tokens": 4_000},
    {"input": 3, "output": 1},
]
EFFECTS = {
    "held": "held", "denied": "denied", "settled": "settle", "overrun": "settle",
    "recorded": "record", "released": "release",
}  # fmt: skip
"""Kind of entry → the verb that writes it, once for each key."""


@dataclass
class Operation:
    """One thing a caller asked for, and the first answer, if one came."""

    verb: str
    path: str
    body: dict[str, Any]
    key: str
    answer: Answer | None = None


@dataclass
class Notes:
    """What the callers know: every operation they ever sent, in order."""

    operations: list[Operation] = field(default_factory=list)
    answered: int = 0
    enough: anyio.Event = field(default_factory=anyio.Event)
    wanted: int = ANSWERS

    def count(self) -> None:
        self.answered += 1
        if self.answered >= self.wanted:
            self.enough.set()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with running(tmp_path, CONFIG) as started:
        yield started


async def test_kill_9_loses_no_answer_and_doubles_no_effect(daemon: Daemon) -> None:
    known: list[Operation] = []
    for number in range(ROUNDS):
        notes = Notes()
        async with anyio.create_task_group() as group:
            group.start_soon(load, daemon, notes, number)
            with anyio.fail_after(60):
                await notes.enough.wait()
            daemon.kill()
        assert (daemon.data_dir / "lock").exists()
        daemon.start()
        known += notes.operations
        await hold_to_its_word(daemon, notes.operations)
    await check_once_each(daemon, known)
    assert daemon.stop() == 0
    assert verify(daemon.data_dir).problems == []


async def test_sigterm_under_load_ends_well_and_loses_nothing(daemon: Daemon) -> None:
    notes = Notes()
    async with anyio.create_task_group() as group:
        group.start_soon(load, daemon, notes, 0)
        with anyio.fail_after(60):
            await notes.enough.wait()
        daemon.terminate()
        assert await anyio.to_thread.run_sync(daemon.wait) == 0
    daemon.start()
    await hold_to_its_word(daemon, notes.operations)
    await check_once_each(daemon, notes.operations)


def test_a_second_daemon_on_the_directory_leaves_in_peace(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    second = Daemon(tmp_path / "second", CONFIG)
    second.data_dir = daemon.data_dir

    assert second.spawn().wait(within_s=5) == 75
    assert f"pid {daemon.pid}" in second.said
    assert daemon.alive
    assert daemon.told["pid"] == daemon.pid
    assert daemon.post("/reservations", RESERVE | {"component": "apollo"}).status == 201


def test_a_daemon_killed_while_it_starts_can_be_started_again(daemon: Daemon) -> None:
    daemon.kill()
    for _ in range(3):
        daemon.spawn().kill()
    daemon.start()
    assert daemon.post("/reservations", RESERVE | {"component": "apollo"}).status == 201
    assert verify(daemon.data_dir).problems == []


async def load(daemon: Daemon, notes: Notes, number: int) -> None:
    """Callers that go on until nobody answers."""
    async with daemon.session() as session, anyio.create_task_group() as group:
        for caller in range(CALLERS):
            group.start_soon(spend, session, notes, Random(f"{number} {caller}"), caller)


async def spend(session: aiohttp.ClientSession, notes: Notes, random: Random, caller: int) -> None:
    component = f"component-{caller % 5}"
    try:
        while True:
            usage = random.choice(USAGES)
            if random.random() < 0.2:
                body = {"component": component, "model": "gpt-4o-mini", "usage": usage}
                await do(session, notes, random, "record", "/usage", body)
                continue
            body = RESERVE | {"component": component}
            held = await do(session, notes, random, "reserve", "/reservations", body)
            if held.status == 201 and (choice := random.random()) < 0.9:
                place = f"/reservations/{held.body['reservation_id']}"
                if choice < 0.3:
                    await do(session, notes, random, "release", f"{place}/release", {})
                else:
                    body = {"usage": usage}
                    await do(session, notes, random, "settle", f"{place}/settle", body)
    except (aiohttp.ClientError, ConnectionError):
        return


async def do(
    session: aiohttp.ClientSession,
    notes: Notes,
    random: Random,
    verb: str,
    path: str,
    body: dict[str, Any],
) -> Answer:
    """Note what is about to be asked, ask it, note the answer."""
    operation = Operation(verb, path, body, f"{random.getrandbits(128):032x}")
    notes.operations.append(operation)
    answer = await ask(session, operation)
    if answer.status < 500:
        operation.answer = answer
        notes.count()
    return answer


async def ask(session: aiohttp.ClientSession, operation: Operation) -> Answer:
    headers = {"Idempotency-Key": operation.key}
    url = PREFIX + operation.path
    async with session.post(url, json=operation.body, headers=headers) as response:
        return Answer(response.status, response.headers, await response.read())


async def hold_to_its_word(daemon: Daemon, operations: list[Operation]) -> None:
    """Every key repeats its first answer; what had none is decided now, and stays so."""
    entries = {entry["entry_id"]: entry for entry in journal(daemon)}
    async with daemon.session() as session:
        for operation in operations:
            again = await ask(session, operation)
            if operation.answer is None:
                assert again.status in {200, 201, 402}, again.body
                operation.answer = again
                again = await ask(session, operation)
            else:
                check_written(operation, entries)
            first = operation.answer
            assert (again.status, again.raw) == (first.status, first.raw), operation.path
    await check_states(daemon, operations)
    assert verify(daemon.data_dir).problems == []


def check_written(operation: Operation, entries: dict[str, Any]) -> None:
    """An acknowledged booking is in the journal, under the entry its answer names."""
    assert operation.answer is not None
    if operation.verb in {"settle", "record", "release"}:
        entry = entries[operation.answer.body["entry_id"]]
        assert EFFECTS[entry["kind"]] == operation.verb
        if operation.verb != "record":
            assert entry["subject"] in operation.path


async def check_states(daemon: Daemon, operations: list[Operation]) -> None:
    """Every reservation stands where the last answer about it left it."""
    states: dict[str, str] = {}
    for operation in operations:
        assert operation.answer is not None
        if operation.answer.status < 300 and operation.verb != "record":
            told = operation.answer.body
            states[told["reservation_id"]] = told["status"]
    shown = {row["id"]: row["status"] for row in every(daemon, "/reservations")}
    assert states.items() <= shown.items()


async def check_once_each(daemon: Daemon, operations: list[Operation]) -> None:
    """As many entries of each kind as keys that ended so: no key has two effects or none."""
    expected: Counter[str] = Counter()
    for operation in operations:
        assert operation.answer is not None
        refused = operation.answer.status == 402
        expected[
            {"reserve": "denied" if refused else "held"}.get(operation.verb, operation.verb)
        ] += 1
    found: Counter[str] = Counter()
    for entry in journal(daemon):
        if entry["kind"] in EFFECTS:
            kind = EFFECTS[entry["kind"]]
            found[kind] += 1
    assert found == expected
    assert found["denied"] > 0


def journal(daemon: Daemon) -> Iterator[dict[str, Any]]:
    return every(daemon, "/entries")


def every(daemon: Daemon, path: str) -> Iterator[dict[str, Any]]:
    """The items of a list, page after page."""
    cursor = ""
    while cursor is not None:
        page = daemon.get(f"{path}?limit=1000{cursor and f'&cursor={cursor}'}").body
        yield from page["items"]
        cursor = page["next_cursor"]
