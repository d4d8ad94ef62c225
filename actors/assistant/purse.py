"""How the assistant pays: like everyone, a hold before each call and the usage after it."""

import json
import logging
from collections.abc import Callable
from typing import Any

import anyio

from actors.assistant.ports import Desk, LanguageModel, ModelFailed, Turn
from protocols.assistant import COMPONENT
from protocols.errors import BudgetError
from protocols.message import Caller
from protocols.money import nanos, show_usd
from protocols.token_estimate import estimate_tokens

log = logging.getLogger("budget.assistant")

SELF = Caller("assistant", "report", frozenset({COMPONENT}))
TASK = "assistant"
LAST_WORD_S = 5.0
"""How long a hold is still ended when the daemon stops or the time is up."""

Json = dict[str, Any]


class Unpaid(Exception):
    """Its own budget does not allow the call, or the model has no price."""


class Purse:
    """The holds of one answer, and what they came to."""

    def __init__(self, desk: Desk, ttl_s: float) -> None:
        self._desk = desk
        self._ttl_s = int(ttl_s) + 60
        self._nanos = 0
        self.tokens = 0

    @property
    def cost_usd(self) -> str:
        return show_usd(self._nanos)

    async def pay(
        self, model: LanguageModel, messages: list[Json], tools: list[Json], output_max: int,
        hear: Callable[[str], None],
    ) -> Turn:  # fmt: skip
        """Hold, call, settle. Whatever happens to the call, its hold is ended."""
        asked = estimate_tokens(json.dumps([messages, tools]), model.provider, model.name)
        hold = await self._hold(model, asked, output_max)
        usage: Json | None = None
        try:
            turn = await model.complete(messages, tools, output_max, hear)
            usage = turn.usage or _guessed(model, asked, turn.text + _arguments(turn))
        except ModelFailed as failure:
            if failure.heard is not None:
                usage = _guessed(model, asked, failure.heard)
            raise
        except BaseException:
            usage = _guessed(model, asked, "")  # it may be working on it: that is not free
            raise
        else:
            return turn
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(LAST_WORD_S):
                await self._end(hold, usage)

    async def _hold(self, model: LanguageModel, asked: int, output_max: int) -> str:
        wanted = {
            "component": COMPONENT, "provider": model.provider, "model": model.name,
            "input_tokens": asked, "max_output_tokens": output_max, "ttl_s": self._ttl_s,
            "task_type": TASK,
        }  # fmt: skip
        try:
            held = await self._desk.perform("reserve", wanted, SELF)
        except BudgetError as refusal:
            raise Unpaid(f"the assistant's own call is not allowed: {refusal.detail}") from None
        return str(held["reservation_id"])

    async def _end(self, hold: str, usage: Json | None) -> None:
        try:
            if usage is None:
                await self._desk.perform("release", {"reservation_id": hold}, SELF)
                return
            settle = {"reservation_id": hold, "usage": usage}
            booked = await self._desk.perform("settle", settle, SELF)
        except BudgetError as refusal:  # the hold ends by itself, or has
            log.warning("a call of the assistant could not be settled: %s", refusal)
            return
        self._nanos += nanos(booked["cost_usd"])
        self.tokens += booked["tokens"]


def _guessed(model: LanguageModel, asked: int, heard: str) -> Json:
    """Make a usage where the provider told none."""
    said = estimate_tokens(heard, model.provider, model.name) if heard else 0
    return {"input_tokens": asked, "output_tokens": said}


def _arguments(turn: Turn) -> str:
    return "".join(call.name + call.arguments for call in turn.calls)
