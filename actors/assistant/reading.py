"""What the assistant may look at: a few read operations, each look numbered and quoted."""

import json
from typing import Any

from actors.assistant.ports import Desk
from protocols.assistant import Query
from protocols.errors import BudgetError
from protocols.message import Caller
from protocols.operations import BY_NAME
from protocols.redact import redact
from protocols.schemas import arguments

READS = (
    "show_report", "list_paces", "show_balances", "list_policies", "explain", "recommend_models",
    "show_price", "list_quarantine", "preview_price", "list_allocations", "replay",
)  # fmt: skip
ASKERS = ("recommend_models",)
"""Looks that need the role of whoever may ask at all. They change nothing either."""
CHARACTERS_MAX = 12_000
"""Of one look. A model is paid by the word, and a page says what the next would."""
LOOKS_MAX = 40

Json = dict[str, Any]


class Reading:
    """The looks of one answer, for one caller: no further than that caller may see."""

    def __init__(self, desk: Desk, caller: Caller) -> None:
        self._desk = desk
        self._caller = caller
        self.queries: list[Query] = []
        self.seen: list[str] = []
        """What came back, as text."""

    @property
    def scope(self) -> dict[str, str]:
        """What a look has to name, for a caller who may not see everything."""
        own = sorted(self._caller.components or ())
        return {"component": own[0]} if own else {}

    @property
    def whose(self) -> str:
        """The component that a question is about when it names none."""
        return self.scope.get("component", self._caller.name)

    async def look(self, operation: str, fields: Json) -> Json:
        """Ask, and remember what was asked. Raises `BudgetError`, remembered too."""
        query = Query(len(self.queries) + 1, operation, fields)
        self.queries.append(query)
        role = "report" if operation in ASKERS else "read"
        reader = Caller(self._caller.name, role, self._caller.components)
        try:
            reply = await self._desk.perform(operation, fields, reader)
        except BudgetError as refusal:
            query.refused = refusal.detail
            raise
        self.seen.append(json.dumps(reply))
        return reply

    async def told(self, operation: str, fields: Json) -> Json:
        """Look, and say it as data for a model: what is too long is cut where a row ends."""
        try:
            reply = await self.look(operation, fields)
        except BudgetError as refusal:
            return {"query": len(self.queries), "refused": refusal.problem()}
        return {"query": len(self.queries)} | _cut(reply)


def _cut(reply: Json) -> Json:
    items = reply.get("items")
    left_out = 0
    while len(json.dumps(reply)) > CHARACTERS_MAX and isinstance(items, list) and items:
        left_out += len(items) - len(items) // 2
        items = items[: len(items) // 2]
        reply = reply | {"items": items}
    text = json.dumps(reply)
    if len(text) > CHARACTERS_MAX:
        return {"too_long": True, "hint": "ask for less: a filter, fewer groups, a limit"}
    cut = {"rows_left_out": left_out} if left_out else {}
    data: Json = json.loads(redact(text))
    return {"data": data} | cut


def tools() -> list[Json]:
    """Describe them to a model."""
    rows = [BY_NAME[name] for name in READS if name in BY_NAME]
    return [
        tool(row.name, row.tool.text if row.tool else row.request.__doc__ or "", arguments(row))
        for row in rows
    ]


def tool(name: str, text: str, schema: Json) -> Json:
    return {
        "type": "function",
        "function": {"name": name, "description": " ".join(text.split()), "parameters": schema},
    }
