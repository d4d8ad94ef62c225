"""The importer: one request after the other, so that no row can come in twice."""

from collections import deque
from typing import Any

from actors.imports import drafts
from actors.runtime import Awaited, ServiceActor
from actors.tell import Tell
from protocols.errors import BudgetError, Busy
from protocols.imports import (
    FindImported,
    FindImportRows,
    Imported,
    ImportRows,
    ImportUsage,
    Known,
    UndoImport,
    Undone,
)
from protocols.journal import Append
from protocols.message import Call
from protocols.money import show_usd
from protocols.reports import instant_ms
from protocols.tiers import TierTable

WAITING_MAX = 16
Heard = ImportUsage | UndoImport


class Importer(ServiceActor):
    """Remembers nothing: what is there, the journal is asked for before each step."""

    def __init__(self, tell: Tell, tiers: TierTable) -> None:
        super().__init__("imports")
        self.tell = tell
        self.tiers = tiers
        self.waiting: deque[tuple[Heard, Call[Any]]] = deque()
        self.working = False

    def receive(self, message: Heard, call: Call[Any]) -> None:
        if len(self.waiting) >= WAITING_MAX:
            raise Busy("enough imports are waiting", hint="one after the other is quickest")
        self.waiting.append((message, call))
        if not self.working:
            self.working = True
            self.spawn(self.work)

    async def work(self) -> None:
        """What was handed to the journal is there for whoever asks it next."""
        try:
            while self.waiting:
                message, call = self.waiting.popleft()
                try:
                    if isinstance(message, ImportUsage):
                        await self.take_in(message, call)
                    else:
                        await self.undo(message, call)
                except BudgetError as refusal:
                    call.refuse(refusal)
        finally:
            self.working = False

    async def take_in(self, ask: ImportUsage, call: Call[Any]) -> None:
        times = [instant_ms(row.at, "UTC") for row in ask.rows]
        there: dict[str, Known] = await self._find(
            FindImported([row.key for row in ask.rows]), call
        )
        fresh = [
            drafts.imported(ask.import_id, row, at_ms, self.tiers, call.caller.name)
            for row, at_ms in zip(ask.rows, times, strict=True)
            if row.key not in there
        ]
        usd = sum(one.usd for one in there.values()) + sum(one.body["usd"] for one in fresh)
        tokens = sum(one.tokens for one in there.values())
        tokens += sum(one.body["tokens"] for one in fresh)
        reply = Imported(ask.import_id, len(fresh), len(there), show_usd(usd), tokens)
        self.tell("journal", Append(fresh, reply), call)

    async def undo(self, ask: UndoImport, call: Call[Any]) -> None:
        found: ImportRows = await self._find(FindImportRows(ask.import_id, ask.limit), call)
        undone = [drafts.undone(row, call.caller.name) for row in found.rows]
        self.tell("journal", Append(undone, Undone(ask.import_id, len(undone), found.left)), call)

    async def _find(self, ask: FindImported | FindImportRows, call: Call[Any]) -> Any:
        asked = Awaited(call.caller)
        self.tell("journal", ask, asked)
        return await asked.reply()
