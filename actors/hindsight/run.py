"""A replay that nobody waits for: how far it is, and what came of it."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

import anyio

from actors.hindsight.replay import Replay
from actors.hindsight.tally import Tally
from actors.runtime import Awaited
from protocols.errors import BudgetError, NotFound
from protocols.hindsight import Replayed
from protocols.message import Call
from protocols.period import Window

RUNS_MAX = 32
"""So many are remembered; the oldest goes first."""


@dataclass(slots=True)
class Run:
    """`progress` is called on the reading thread: it sets two whole numbers, and passes them on."""

    whose: str
    watch: Callable[[int, int], None]
    again: Replay | None
    """Gone when it is over: it holds a whole world."""
    span: Window
    limit: int
    id: str = field(default_factory=lambda: f"rpl_{uuid4().hex}")
    done: int = 0
    total: int | None = None
    ended: anyio.Event = field(default_factory=anyio.Event)
    reply: Replayed | None = None
    error: BudgetError | None = None

    def progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self.watch(done, total)

    def shown(self) -> Replayed:
        assert self.again is not None
        return self.again.shown(self.limit)

    def shown_now(self) -> Replayed:
        """Where it stands. The sums of a replay under way are another thread's business."""
        if self.reply is not None:
            return self.reply
        empty = Tally().shown(self.span, 0)
        empty.status, empty.replay_id = "working", self.id
        empty.entries, empty.entries_total = self.done, self.total
        return empty

    async def wait_for(self, told: Awaited) -> None:
        try:
            self.reply = await told.reply()
            self.reply.replay_id = self.id
        except BudgetError as error:
            self.error = error
        finally:
            self.again = None
            self.ended.set()

    async def tell_later(self, wait_s: float, call: Call[Replayed]) -> None:
        with anyio.move_on_after(wait_s):
            await self.ended.wait()
        self.tell(call)

    def tell(self, call: Call[Replayed]) -> None:
        if self.error is not None:
            call.refuse(self.error.again())
        else:
            call.answer(self.shown_now())


class Runs:
    """The latest, by id."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()

    def add(self, run: Run) -> None:
        self._runs[run.id] = run
        if len(self._runs) > RUNS_MAX:
            self._runs.popitem(last=False)

    def find(self, name: str, whose: str) -> Run:
        """Another's looks like one that never was. Raises `NotFound`."""
        run = self._runs.get(name)
        if run is None or run.whose != whose:
            raise NotFound(f"there is no {name}", hint="replay again; only the latest are kept")
        return run
