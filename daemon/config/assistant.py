"""`[assistant]`: which language model it may ask, and how much of everything that may take."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from daemon.config.section import Place, Section
from protocols.assistant import COMPONENT
from protocols.money import Usd, nanos, show_usd
from protocols.names import NAME
from protocols.policy.policy import Limit, Match, Policy

POLICY = "assistant"
HOSTS = {"api.openai.com": "openai", "127.0.0.1": "local", "localhost": "local", "[::1]": "local"}


class Assistant(Section):
    """The assistant: the model it asks, and its own hard limit. Without a model it uses rules."""

    model: Annotated[str, Field(pattern=NAME)] | None = Field(
        default=None, description="the model's name at that address; none: answers by rules"
    )
    provider: Annotated[str, Field(pattern=NAME)] | None = Field(
        default=None,
        description="as whom its calls are priced; default: openai at api.openai.com, "
        "local on this machine",
    )
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s]{1,500}$")] = Field(
        default="https://api.openai.com/v1",
        description="an address that speaks the chat completions API; nothing is sent elsewhere",
    )
    key_file: Place = Field(
        default=None, description="path of a file with the key; empty: none is sent"
    )
    limit_usd: Usd = Field(
        default=nanos("1.00"), description="its own hard limit a day, decimal string, USD"
    )
    time_s: float = Field(default=60.0, gt=0, le=600, description="how long one answer may take")
    output_tokens: int = Field(
        default=2000, ge=1, le=100_000, description="the most one turn of the model may say"
    )
    turns: int = Field(default=8, ge=1, le=50, description="turns of the model for one answer")

    @model_validator(mode="after")
    def _known_provider(self) -> "Assistant":
        if self.model is not None and self.payee is None:
            raise PydanticCustomError(
                "no_provider",
                "has a model at an address of whose prices nothing is known",
                {"remedy": 'write provider = "…", as in `budget prices`'},
            )
        return self

    @property
    def payee(self) -> str | None:
        return self.provider or HOSTS.get((urlsplit(self.base_url).hostname or "").lower())

    @property
    def policy(self) -> Policy:
        """Its own limit, as the policy it is."""
        return Policy(
            name=POLICY,
            match=Match(component=COMPONENT),
            limit=Limit.model_validate({"usd": show_usd(self.limit_usd)}),
            period="daily",
        )
