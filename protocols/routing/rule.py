"""`[[route]]`: which models may serve a kind of call, in which order. Rhetor's order is shipped."""

from typing import Annotated

from pydantic import Field

from protocols.message import Value
from protocols.money import Usd
from protocols.names import PolicyName
from protocols.policy.policy import Match
from protocols.routing.abilities import ModelGlob, Needs
from protocols.routing.words import Order
from protocols.tiers import Tier

CANDIDATES_MAX = 64
Candidates = Annotated[
    tuple[ModelGlob, ...],
    Field(
        strict=False,
        max_length=CANDIDATES_MAX,
        description="provider/model or globs, the preferred first; from the price book",
    ),
]


class RouteRule(Value):
    """Which models may serve the calls that match. The first rule that fits a call counts."""

    name: PolicyName
    match: Match = Field(default=Match(), description="as a policy's; model is the one asked for")
    candidates: Candidates
    local: Candidates = Field(default=(), description="free models to end with, the best first")
    needs: Needs = ()
    tiers: tuple[Tier, ...] = Field(
        default=(), strict=False, description="only models of these tiers; empty: of all"
    )
    max_usd: Usd | None = Field(default=None, description="the dearest a call may be, USD")
    order: Order = Field(
        default="nearest",
        description="nearest: as asked, then the nearest below in price, same provider first; "
        "cheapest: by price alone; listed: as asked, then as the candidates stand",
    )


LOCAL = ("ollama/llama3",)
SHIPPED = (
    RouteRule(
        name="chat",
        match=Match(task_type="chat"),
        candidates=("openai/*", "anthropic/*"),
        local=LOCAL,
    ),
    RouteRule(name="default", candidates=("anthropic/*", "openai/*"), local=LOCAL),
)
"""Rhetor's preferences: OpenAI first for chat, Anthropic first for all else, then Ollama."""
