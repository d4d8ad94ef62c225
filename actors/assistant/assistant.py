"""The assistant's actor: keeps questions, answers and proposals; talks beside its inbox."""

import logging
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

import anyio

from actors.assistant import rules
from actors.assistant.drawer import Drawer, draft
from actors.assistant.ports import Desk, LanguageModel
from actors.assistant.proposing import revision_of, with_reason
from actors.assistant.purse import Purse
from actors.assistant.reading import Reading
from actors.assistant.recommend import recommend
from actors.assistant.talk import Bounds, Failed, Said, Talk
from actors.runtime import NOBODY, Awaited, ServiceActor
from actors.tell import Tell
from actors.time import LedgerTime
from protocols.assistant import (
    Answer,
    ApplyProposal,
    AskAssistant,
    DismissProposal,
    ListProposals,
    Proposal,
    ShowAnswer,
    ShowProposal,
    Status,
    new_id,
)
from protocols.errors import BudgetError, Busy, NotFound, Overtaken
from protocols.journal import Append
from protocols.message import Call, Caller
from protocols.period import rfc3339
from protocols.recommend import RecommendModels

log = logging.getLogger("budget.assistant")

NAME = "assistant"
ANSWERS_MAX = 200
AT_ONCE_MAX = 4
HISTORY_MAX = 40
"""Messages of a conversation that are sent again."""


@dataclass(slots=True)
class _Heard:
    """What the model has said so far in its turn."""

    answer_id: str
    text: str


@dataclass(slots=True)
class _Finished:
    answer: Answer
    messages: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class _Applied:
    """`refusal`: why not."""

    proposal: Proposal
    refusal: BudgetError | None


@dataclass(slots=True)
class _Asked:
    """A question under way, or done."""

    answer: Answer
    owner: str
    done: anyio.Event = field(default_factory=anyio.Event)
    messages: list[dict[str, Any]] = field(default_factory=list)


Told = _Heard | _Finished | _Applied
Heard = (
    AskAssistant | ShowAnswer | RecommendModels | ListProposals | ShowProposal | ApplyProposal
    | DismissProposal | Told
)  # fmt: skip


class Assistant(ServiceActor):
    """An organ. Without a model it answers by rules, and says so."""

    def __init__(
        self, tell: Tell, time: LedgerTime, desk: Desk, model: LanguageModel | None,
        bounds: Bounds, kept: list[dict[str, Any]],
    ) -> None:  # fmt: skip
        super().__init__(NAME)
        self.tell = tell
        self.time = time
        self.desk = desk
        self.model = model
        self.bounds = bounds
        self.drawer = Drawer(kept)
        self.asked: dict[str, _Asked] = {}

    def receive(self, message: Heard, call: Call[Any]) -> None:
        match message:
            case AskAssistant():
                self.begin(message, call)
            case ShowAnswer():
                self.show(message, call)
            case ListProposals():
                call.answer(self.drawer.page(message, call.caller))
            case ShowProposal():
                call.answer(self.drawer.find(message.proposal_id, call.caller))
            case RecommendModels():
                self.spawn(self.recommend, message, call)
            case ApplyProposal():
                self.apply(message, call)
            case DismissProposal():
                self.dismiss(message, call)
            case _Heard() | _Finished() | _Applied():
                self.told(message, call)
            case _:
                assert_never(message)

    def told(self, message: Told, call: Call[Any]) -> None:
        """What comes back from beside the inbox."""
        match message:
            case _Heard():
                self.heard(message)
            case _Finished():
                self.finished(message)
            case _Applied():
                self.applied(message, call)
            case _:
                assert_never(message)

    def begin(self, ask: AskAssistant, call: Call[Any]) -> None:
        """Begin, and say under which id: the answer comes with `ShowAnswer`."""
        if sum(not one.done.is_set() for one in self.asked.values()) >= AT_ONCE_MAX:
            raise Busy(f"{AT_ONCE_MAX} questions are being answered", retry_after_s=5)
        name, conversation = new_id("ans"), ask.conversation_id or new_id("cnv")
        history = self._history(conversation, call.caller) if ask.conversation_id else []
        answer = Answer(name, conversation, "working", ask.question)
        self.asked[name] = _Asked(answer, call.caller.name)
        while len(self.asked) > ANSWERS_MAX:
            del self.asked[next(iter(self.asked))]
        self.spawn(self.work, answer, history, call.caller)
        call.answer(answer)

    def show(self, ask: ShowAnswer, call: Call[Any]) -> None:
        found = self.asked.get(ask.answer_id)
        if found is None or found.owner != call.caller.name:
            raise NotFound("there is no such answer", hint="the last 200 are kept, until a restart")
        if ask.wait_s and not found.done.is_set():
            self.spawn(self.wait, found.done, ask, call)
        else:
            call.answer(found.answer)

    async def wait(self, done: anyio.Event, ask: ShowAnswer, call: Call[Any]) -> None:
        with anyio.move_on_after(ask.wait_s):
            await done.wait()
        self.tell(NAME, ask.model_copy(update={"wait_s": 0.0}), call)

    async def work(self, answer: Answer, history: list[dict[str, Any]], caller: Caller) -> None:
        """Let a model answer, or the rules where there is none or it failed."""
        looks, purse = Reading(self.desk, caller), Purse(self.desk, self.bounds.time_s)
        said, detail = None, "no model is configured"
        if self.model is not None:
            talk = Talk(
                self.desk, self.model, self.bounds, purse, looks, caller, self.now,
                lambda text: self.tell(NAME, _Heard(answer.answer_id, text), NOBODY),
            )  # fmt: skip
            try:
                said = await talk.answer(answer.question, history)
            except Failed as failure:
                detail = str(failure)
                looks = Reading(self.desk, caller)
        if said is None:
            said = Said(await rules.answer(looks, answer.question))
        done = replace(
            answer,
            status="done",
            source="model" if said.messages else "rules",
            text=said.text,
            detail=None if said.messages else detail,
            queries=looks.queries,
            unproven=said.unproven,
            proposals=said.proposals,
            cost_usd=purse.cost_usd,
            tokens=purse.tokens,
        )
        if said.proposals:
            written = Awaited()
            self.tell("journal", Append([draft(made) for made in said.proposals]), written)
            await written.reply()
        self.tell(NAME, _Finished(done, said.messages), NOBODY)

    def heard(self, told: _Heard) -> None:
        """Show it to whoever looks while the answer is still being made."""
        found = self.asked.get(told.answer_id)
        if found is not None and not found.done.is_set():
            found.answer = replace(found.answer, text=told.text)

    def finished(self, told: _Finished) -> None:
        for made in told.answer.proposals:
            self.drawer.add(made)
        found = self.asked.get(told.answer.answer_id)
        if found is not None:
            found.answer = told.answer
            found.messages = told.messages
            found.done.set()

    async def recommend(self, ask: RecommendModels, call: Call[Any]) -> None:
        try:
            call.answer(await recommend(self.desk, ask, call.caller))
        except BudgetError as refusal:
            call.refuse(refusal)

    def apply(self, ask: ApplyProposal, call: Call[Any]) -> None:
        self.spawn(self.perform, self.drawer.begin(ask.proposal_id, call.caller), call)

    async def perform(self, proposal: Proposal, call: Call[Any]) -> None:
        """Do it as whoever applies it, if nobody changed what it is about since."""
        refusal: BudgetError | None = None
        try:
            if await revision_of(self.desk, proposal, call.caller) != proposal.revision:
                raise Overtaken(
                    "what the proposal changes was changed since it was made",
                    hint="ask the assistant again",
                )
            await self.desk.perform(proposal.operation, with_reason(proposal), call.caller)
        except BudgetError as error:
            refusal = error
        self.tell(NAME, _Applied(proposal, refusal), call)

    def applied(self, told: _Applied, call: Call[Any]) -> None:
        if told.refusal is not None:
            self.drawer.give_up(told.proposal.proposal_id)
            raise told.refusal.again()
        self._end(told.proposal, "applied", call)

    def dismiss(self, ask: DismissProposal, call: Call[Any]) -> None:
        self._end(self.drawer.begin(ask.proposal_id, call.caller), "dismissed", call)

    def now(self) -> str:
        return rfc3339(self.time.now_ms())

    def _end(self, proposal: Proposal, status: Status, call: Call[Any]) -> None:
        over = replace(proposal, status=status, ended_by=call.caller.name, ended_at=self.now())
        self.drawer.end(over)
        self.tell("journal", Append([draft(over)], answer=over), call)

    def _history(self, conversation: str, caller: Caller) -> list[dict[str, Any]]:
        """What was said in it, if it is this caller's own."""
        mine = [
            one for one in self.asked.values()
            if one.answer.conversation_id == conversation and one.owner == caller.name
        ]  # fmt: skip
        if not mine:
            raise NotFound("there is no such conversation", hint="begin a new one")
        kept = mine[-1].messages[-HISTORY_MAX:]
        while kept and kept[0]["role"] != "user":  # a result needs the call it answers
            kept = kept[1:]
        return kept
