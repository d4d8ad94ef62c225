"""Waiting for an answer that takes longer than any single request may."""

from typing import Any

from protocols.assistant import WAIT_S_MAX, AskAssistant, ShowAnswer
from protocols.hindsight import WAIT_MAX_S, Replay, ShowReplay
from protocols.message import Ask, Caller, R, Request

WAIT_S = WAIT_S_MAX / 2


class Patient:
    """The doors' `ask`: a question that waits is asked, then looked after until it is answered.

    Each look has the deadline of every request; how long there is something to look at is the
    assistant's own limit of time.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def __call__(self, to: str, request: Request[R], caller: Caller) -> R:
        if isinstance(request, Replay) and request.wait:
            return await self._replay(to, request, caller)  # type: ignore[no-any-return]
        reply: Any = await self._ask(to, request, caller)
        if isinstance(request, AskAssistant) and request.wait:
            look = ShowAnswer(answer_id=reply.answer_id, wait_s=WAIT_S)
            while reply.status == "working":
                reply = await self._ask(to, look, caller)
        return reply  # type: ignore[no-any-return]

    async def _replay(self, to: str, request: Replay, caller: Caller) -> Any:
        """Begin it and look after it: a long past takes longer than a request may."""
        reply = await self._ask(to, request.model_copy(update={"wait": False}), caller)
        while reply.status == "working":
            look = ShowReplay(replay_id=str(reply.replay_id), wait_s=WAIT_MAX_S)
            reply = await self._ask(to, look, caller)
        return reply
