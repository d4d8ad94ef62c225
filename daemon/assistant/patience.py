"""Waiting for an answer that takes longer than any single request may."""

from typing import Any

from protocols.assistant import WAIT_S_MAX, AskAssistant, ShowAnswer
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
        reply: Any = await self._ask(to, request, caller)
        if isinstance(request, AskAssistant) and request.wait:
            look = ShowAnswer(answer_id=reply.answer_id, wait_s=WAIT_S)
            while reply.status == "working":
                reply = await self._ask(to, look, caller)
        return reply  # type: ignore[no-any-return]
