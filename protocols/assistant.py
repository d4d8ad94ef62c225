"""The language of the assistant: questions, answers with the queries behind them, proposals.

It changes nothing by itself. What it would change is a proposal, and a person applies it.
"""

import secrets
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from protocols.message import Request

COMPONENT = "budget"
"""Who pays for the assistant's own calls."""
QUESTION_MAX = 8_000
WAIT_S_MAX = 20.0

Question = Annotated[str, Field(min_length=1, max_length=QUESTION_MAX)]
AnswerId = Annotated[str, Field(pattern=r"^ans_[0-9a-f]{24}$")]
ConversationId = Annotated[str, Field(pattern=r"^cnv_[0-9a-f]{24}$")]
ProposalId = Annotated[str, Field(pattern=r"^prp_[0-9a-f]{24}$")]
Status = Literal["open", "applied", "dismissed"]


def new_id(kind: Literal["ans", "cnv", "prp"]) -> str:
    return f"{kind}_{secrets.token_hex(12)}"


@dataclass(slots=True)
class Query:
    """An operation the answer rests on: ask it again and compare."""

    number: int
    operation: str
    fields: dict[str, Any]
    refused: str | None = None
    """Why it gave nothing."""


@dataclass(slots=True)
class FieldChange:
    field: str
    before: Any
    after: Any


@dataclass(slots=True)
class Proposal:
    """One operation that a person may apply with their own token.

    `effect` is what it would have done to the calls of the last days; None says why in
    `effect_missing`.
    """

    proposal_id: str
    status: Status
    operation: str
    fields: dict[str, Any]
    why: str
    diff: list[FieldChange]
    effect: dict[str, Any] | None
    effect_missing: str | None
    revision: int | None
    """Of the policy it changes; if that has moved on, it can no longer be applied."""
    asked_by: str
    proposed_at: str
    ended_by: str | None = None
    ended_at: str | None = None


@dataclass(slots=True)
class Proposals:
    items: list[Proposal]
    next_cursor: str | None = None


@dataclass(slots=True)
class Answer:
    """What the assistant says, and what it rests on. While it works, `text` is as far as it got.

    `source` is `rules` when no model was asked, or none could answer; `detail` says why.
    `unproven` are figures in the text that stand in none of the queries' answers.
    """

    answer_id: str
    conversation_id: str
    status: Literal["working", "done"]
    question: str
    source: Literal["model", "rules"] | None = None
    text: str = ""
    detail: str | None = None
    queries: list[Query] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)
    cost_usd: str = "0.000000000"
    tokens: int = 0


class AskAssistant(Request[Answer]):
    """Ask about the spending. It looks with read operations and proposes; it changes nothing."""

    question: Question
    conversation_id: ConversationId | None = Field(
        default=None, description="go on with this conversation"
    )
    wait: bool = Field(default=True, description="false: answer at once; see show_answer")


class ShowAnswer(Request[Answer]):
    """An answer as it stands, or when it is done."""

    answer_id: AnswerId
    wait_s: Annotated[float, Field(ge=0, le=WAIT_S_MAX)] = Field(
        default=0.0, description="wait so long for it to be done"
    )


class ListProposals(Request[Proposals]):
    """What was proposed, newest first."""

    status: Status | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: ProposalId | None = None


class ShowProposal(Request[Proposal]):
    """One proposal: what it would change, and what that would have done."""

    proposal_id: ProposalId


class ApplyProposal(Request[Proposal]):
    """Do what was proposed, as yourself. Refused if what it changes has moved on since."""

    proposal_id: ProposalId


class DismissProposal(Request[Proposal]):
    """Put a proposal aside."""

    proposal_id: ProposalId
