"""One seed, one story: callers, accidents and a judge, until every question has its answer."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import anyio

from actors.policy.policies import Sweep
from actors.supervision import Roster
from daemon.journal.verify import verify_file
from protocols import names
from protocols.errors import BudgetError, Denied, KeyReused, Unavailable
from protocols.ledger import Extend, Record, Release, Reserve, Settle
from protocols.message import Request
from protocols.operations import BY_NAME
from protocols.policy.messages import SetPolicy, ShowBalances
from protocols.prices import PriceBook, PriceVersion
from tests.harness.house import CALLER, House, alive
from tests.properties.answers import kept, millis, nanos, plain
from tests.simulation.auditor import RATES, Auditor, must
from tests.simulation.disk import Disk, store
from tests.simulation.loop import SimClock, simulate

CALLERS = 5
LIVES = 4
STEPS = 12
"""Of one caller in one life."""
LONGEST_S = 400
POLICIES: list[dict[str, Any]] = [
    {"name": "all", "limit": {"usd": "0.05"}, "period": "total"},
    {"name": "a-day", "limit": {"calls": 9}, "period": "daily", "each": "component"},
    {"name": "an-hour", "limit": {"tokens": 20_000}, "period": "hourly",
     "match": {"model": "large"}},
]  # fmt: skip
DAY_MS = 86_400_000
JUMPS_MS = [3_600_000, DAY_MS, -3_600_000, -30 * DAY_MS]


def book(version: int) -> PriceBook:
    """The auditor's own prices, as the daemon has them."""
    return PriceBook(
        [
            PriceVersion(
                id=name, provider="openai", model=name.partition("/")[2].partition("@")[0],
                rates={kind: Decimal(rate) for kind, rate in rates.items()},
            )
            for name, rates in RATES.items()
            if name.endswith(f"@{version}")
        ],
        "2026-01-01",
    )  # fmt: skip


@dataclass(eq=False)
class Operation:
    """Something a caller wants, under a key of its own, and the first answer to it."""

    name: str
    request: Request[Any]
    key: str
    answer: Any = None

    @property
    def known(self) -> bool:
        return self.answer is not None


@dataclass
class Tally:
    """What happened in a story."""

    answered: int = 0
    unknown: int = 0
    kills: int = 0
    faults: int = 0
    falls: int = 0
    jumps: int = 0
    entries: int = 0
    digest: str = ""


class SeededTails(names._Tails):
    """The random ends of ids, from the seed."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._seeded = random

    def _random(self, size: int) -> int:
        return self._seeded.getrandbits(8 * size)


@dataclass
class Story:
    seed: int
    auditor: Auditor = field(default_factory=Auditor)
    tally: Tally = field(default_factory=Tally)
    operations: list[Operation] = field(default_factory=list)
    holds: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(f"{self.seed} story")
        self.disk = Disk(Random(f"{self.seed} disk"))
        self.clock = SimClock(1_767_225_540_000)  # a minute before the year ends
        self.book = book(1)
        self.clock_is_steady = self.random.random() < 0.5

    async def tell(self) -> None:
        for life in range(LIVES):
            async with self.house() as house, anyio.create_task_group() as group:
                for number in range(CALLERS):
                    group.start_soon(self.call, house, Random(f"{self.seed} {life} {number}"))
                await self.accidents(house, life)
                group.cancel_scope.cancel()
        async with self.house() as house:
            await self.settle_up(house)
        self.tally.entries = self.auditor.seq
        self.tally.digest = self.auditor.hash.hex()[:16]
        self.verify()

    @asynccontextmanager
    async def house(self) -> AsyncIterator[House]:
        """From start to a death without a last word. In the first life the policies are made."""
        self.look()
        roster = Roster(now=self.clock.monotonic, in_flight_max=1000)
        async with alive(store(self.disk), self.clock, self.book, roster) as house:
            if not self.tally.kills:
                for policy in POLICIES:
                    await self.ask(house, Operation("set_policy", limited(policy), ""))
            yield house
            self.tally.kills += 1
            self.disk.kill()
            self.disk.fault = None

    # Callers

    def operation(self, name: str, request: Request[Any]) -> Operation:
        operation = Operation(name, request, f"op-{len(self.operations)}")
        self.operations.append(operation)
        return operation

    async def call(self, house: House, random: Random) -> None:
        for _ in range(STEPS):
            await anyio.sleep(random.choice([0, 0, 0.001, 0.01, 0.5, random.expovariate(0.1)]))
            operation = self.choose(random)
            async with anyio.create_task_group() as group:  # a rival, or an impatient caller
                if random.random() < 0.2:
                    other = self.choose(random) if random.random() < 0.5 else operation
                    group.start_soon(self.ask, house, other)
                answer = await self.ask(house, operation)
            if answer is None:
                return

    def choose(self, random: Random) -> Operation:
        """What was asked before, asked again; or something new."""
        if self.operations and random.random() < 0.15:
            return random.choice(self.operations)
        if self.holds and random.random() < 0.6:
            return self.operation(*end(random, random.choice(self.holds[-12:])))
        number = len(self.operations)
        return self.operation(*begin(random, f"op-{number}"))

    async def ask(self, house: House, operation: Operation) -> Any:
        """The answer, judged; None if nobody knows what became of it."""
        to = BY_NAME[operation.name].address(operation.request)
        fingerprint = hashlib.sha256(repr(operation.request).encode()).digest()
        caller = CALLER.with_key(operation.key, fingerprint)
        life = self.tally.kills
        answer = await house.ask(to, operation.request, caller)
        if life != self.tally.kills or isinstance(answer, Unavailable):
            self.tally.unknown += 1
            return None
        self.look()
        self.judge(operation, answer)
        return answer

    def judge(self, operation: Operation, answer: Any) -> None:
        self.tally.answered += 1
        first = operation.answer
        if first is not None and kept(first):
            must(plain(first) == plain(answer), "I12 same key, same answer", operation.key)
        if operation.answer is None or not kept(operation.answer):
            operation.answer = answer
        if isinstance(answer, Denied):
            facts = answer.facts
            left = nanos(facts["limit"]) - nanos(facts["used"]) - nanos(facts["held"])
            must(nanos(facts["left"]) == left, "I1 the figures of a refusal", facts)
            must(nanos(facts["asked"]) > left, "I1 a refusal has a reason", facts)
            must(not self.auditor.effects[operation.key], "I11 a refusal has no effect")
        elif isinstance(answer, BudgetError):
            must(not isinstance(answer, KeyReused), "I13 a key is its caller's own", answer.facts)
        elif operation.name == "reserve":
            name = answer.reservation_id
            must(name in self.auditor.holds, "I11 what was answered is written", name)
            must(self.auditor.holds[name].operation == operation.key, "I12 whose answer", name)
            if first is None:
                self.holds.append(name)
        elif operation.name in ("settle", "record", "release"):
            seq = int(answer.entry_id.removeprefix("ent_"))
            must(seq in self.auditor.kinds, "I11 what was answered is written", seq)

    def look(self) -> None:
        self.auditor.read(self.disk.db, self.clock.now_ms())

    # Accidents

    async def accidents(self, house: House, life: int) -> None:
        """Now and then something happens; in the end the process dies."""
        events = ["sweep", "sweep", "prices", "policy", "fall", "clock"]
        for _ in range(self.random.randint(2, 8)):
            await anyio.sleep(self.random.expovariate(2))
            await self.accident(house, self.random.choice(events))
        if life % 2:
            self.tally.faults += 1
            self.disk.fault = "before" if self.random.random() < 0.5 else "after"
            async with anyio.create_task_group() as group:
                for _ in range(self.random.randint(1, 4)):
                    group.start_soon(self.ask, house, self.choose(self.random))
        self.look()

    async def accident(self, house: House, event: str) -> None:
        if event == "sweep":
            house.roster.tell("policy", Sweep())
        elif event == "prices":
            self.book = book(self.random.choice([1, 2]))
            house.builder.change_book(self.book)
        elif event == "policy":
            policy = dict(self.random.choice(POLICIES))
            axis, limit = next(iter(policy["limit"].items()))
            share = self.random.choice([Decimal("0.5"), Decimal(1), Decimal(2)])
            more = Decimal(limit) * share
            policy["limit"] = {axis: str(more) if axis == "usd" else int(more)}
            await self.ask(house, Operation("set_policy", limited(policy), ""))
        elif event == "fall":
            self.tally.falls += 1
            house.roster.tell("policy", "what is this?")
        elif not self.clock_is_steady:
            self.tally.jumps += 1
            self.auditor.shifted = True
            self.clock.wall_ms += self.random.choice(JUMPS_MS)

    # The end

    async def settle_up(self, house: House) -> None:
        """Everybody asks again until all is known; then everything is where it should be."""
        for operation in self.operations:
            must(await self.ask(house, operation) is not None, "I12 an answer", operation.key)
        await self.balances(house)
        await anyio.sleep(LONGEST_S)
        house.roster.tell("policy", Sweep())
        await anyio.sleep(1)
        self.look()
        left = self.auditor.open_holds()
        must(self.auditor.shifted or not left, "I9 no hold is left", left)
        await self.balances(house)

    async def balances(self, house: House) -> None:
        """I14, I16: what the daemon has in memory is what its entries add up to."""
        shown = await house.ask("policy", ShowBalances(limit=1000), CALLER)
        await anyio.sleep(1)  # what it let lapse as it answered is written
        self.look()
        for row in shown.items:
            starts_ms = millis(row.window.starts)
            used, held = self.auditor.level(row.policy, row.key or "", starts_ms)
            axis = ("usd", "tokens", "calls").index(row.axis)
            found = (nanos(row.used), nanos(row.held))
            must(found == (used[axis], held[axis]), "I16 one truth", row, used, held)

    def verify(self) -> None:
        """The daemon's own check agrees."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "journal"
            path.write_bytes(self.disk.db.serialize())
            must(verify_file(path).problems == [], "verify", verify_file(path).problems)


def limited(policy: dict[str, Any]) -> SetPolicy:
    return SetPolicy.model_validate(policy)


def begin(random: Random, operation: str) -> tuple[str, Request[Any]]:
    component, model = random.choice("abc"), random.choice(["small", "large"])
    if random.random() < 0.1:
        usage = {"input": random.randint(1, 500), "output": random.randint(1, 100)}
        return "record", Record(
            component=component, provider="openai", model=model, usage=usage,
            tags={"operation": operation},
        )  # fmt: skip
    return "reserve", Reserve(
        component=component, provider="openai", model=model,
        input_tokens=random.choice([0, 100, 333]), max_output_tokens=random.choice([10, 200, 700]),
        ttl_s=random.choice([1, 5, 30, 300]), metadata={"operation": operation},
    )  # fmt: skip


def end(random: Random, hold: str) -> tuple[str, Request[Any]]:
    what = random.random()
    if what < 0.25:
        return "release", Release(reservation_id=hold)
    if what < 0.35:
        return "extend", Extend(reservation_id=hold, tokens=random.choice([0, 100]), ttl_s=60)
    usage = random.choice(
        [{}, {"input": 1, "output": 3}, {"input": 333, "output": 90}, {"output": 1000}]
    )
    return "settle", Settle(reservation_id=hold, usage=usage, final=random.random() < 0.8)


def tell(seed: int) -> Tally:
    """Run one story from its beginning. Raises `Violation`."""
    story: list[Story] = []

    async def run() -> None:
        story.append(Story(seed))
        await story[0].tell()

    genuine, names._tails = names._tails, SeededTails(Random(f"{seed} ids"))
    try:
        simulate(Random(f"{seed} order"), run)
    except BaseExceptionGroup as group:
        raise sole(group) from group
    finally:
        names._tails = genuine
    return story[0].tally


def sole(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
