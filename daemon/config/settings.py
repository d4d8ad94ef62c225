"""Every setting: its type, its default, its bounds and what it is for.

The reference in `docs/reference/` is made from the descriptions here.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic.fields import FieldInfo

from daemon.config.assistant import Assistant
from daemon.config.channel import ChannelTable
from daemon.config.daemon import Daemon
from daemon.config.hermes import Hermes
from daemon.config.price_source import PriceSourceTable
from daemon.config.section import Place, Seconds, Section
from protocols.message import Role
from protocols.names import Component, PolicyName, Provider
from protocols.policy.policy import Glob, Policy
from protocols.routing.abilities import ModelRule
from protocols.routing.rule import RouteRule
from protocols.tiers import Tier, TierTable
from protocols.tokens import TokenName


class Limits(Section):
    """How much the daemon takes on before it says so."""

    body_bytes: int = Field(
        default=1_048_576, ge=1024, le=67_108_864, description="the largest request body"
    )
    connections: int = Field(
        default=1024, ge=1, le=1_000_000, description="open connections; then 503"
    )
    streams: int = Field(
        default=1000, ge=1, le=1_000_000, description="readers of live events; then 429"
    )
    streams_each: int = Field(
        default=250, ge=1, le=1_000_000, description="of them, those of one caller; then 429"
    )
    header_s: Seconds = Field(
        default=10.0, description="how long the header of a request may take to arrive"
    )
    idle_s: Seconds = Field(default=75.0, description="how long a connection may do nothing")
    heartbeat_s: Seconds = Field(
        default=15.0, description="in a silence, how often a stream of events shows it is alive"
    )
    slow_s: Seconds = Field(
        default=10.0, description="how long a reader of a stream may take to take what it is sent"
    )
    login_failures: int = Field(
        default=20,
        ge=1,
        le=1_000_000,
        description="wrong tokens a minute from one address; then 429 for wrong ones",
    )
    body_s: Seconds = Field(default=10.0, description="how long a body may take to arrive")
    answer_s: Seconds = Field(default=30.0, description="the deadline of every answer")
    batch_operations: int = Field(
        default=1000, ge=1, le=10_000, description="operations in one batch request"
    )
    stream_window: int = Field(
        default=256, ge=1, le=10_000, description="operations of one stream that are under way"
    )
    in_flight: int = Field(
        default=4096, ge=1, le=1_000_000, description="requests worked on at once; then 429"
    )
    burst: int = Field(
        default=512,
        ge=1,
        le=1_000_000,
        description="calls that may begin at once; once more come, wait_ms holds",
    )
    wait_ms: int = Field(
        default=25,
        ge=1,
        le=60_000,
        description="after a burst as many are let in as are answered within it; then 429",
    )
    inbox: int = Field(
        default=1024, ge=1, le=1_000_000, description="messages waiting for one actor; then 429"
    )
    components: int = Field(
        default=10_000, ge=1, le=16_000_000, description="components that may ever have a ledger"
    )


class Holds(Section):
    """How held money comes back by itself, and how long answers are remembered."""

    sweep_s: Seconds = Field(default=1.0, description="pause between sweeps of expired holds")
    open: int = Field(
        default=10_000,
        ge=1,
        le=10_000_000,
        description="holds one component may have open at once; then 429",
    )
    key_hours: int = Field(
        default=24, ge=1, le=8760, description="how long the answer to an Idempotency-Key is kept"
    )


class Journal(Section):
    """What is kept where: closed months may lie in files of their own."""

    archive_after_months: int = Field(
        default=0,
        ge=0,
        le=1200,
        description="full months that stay in the database beside the one of now; older ones are "
        "moved into archive/<month>.db. 0: only when told to, by `budget archive`",
    )


class Prices(Section):
    """Where rates come from, and who costs nothing."""

    free_providers: tuple[Provider, ...] = Field(
        default=("ollama", "local"),
        strict=False,
        description="providers whose calls are declared free; never guessed",
    )
    book: Place = Field(
        default=None, description="path of another price book; empty: the one in the package"
    )
    refresh_hours: float = Field(
        default=6.0,
        ge=0,
        le=8760,
        description="how often sources are asked, give or take a tenth; 0: only when told to",
    )
    stale_hours: int = Field(
        default=72, ge=1, le=8760, description="after so long without word a source is stale"
    )


class Tiers(TierTable):
    """Additions to the built-in tier table. The longest glob that fits decides."""

    models: dict[Glob, Tier] = Field(default={}, description="model glob to tier")
    components: dict[Glob, Tier] = Field(default={}, description="component glob to tier")
    providers: dict[Glob, Tier] = Field(default={}, description="provider glob to tier")


class Token(Section):
    """Somebody who may call. The secret is made by the daemon in `<data_dir>/tokens/<name>`."""

    name: TokenName = Field(description="who it is; also the name of the file with the secret")
    role: Role = Field(description="read, report (and hold and settle) or admin (and decide)")
    components: tuple[Component, ...] = Field(
        default=(), strict=False, description="the components it may act for; empty: all"
    )


class Budget(Section):
    """A named group of policies and whom to ask about it."""

    name: PolicyName = Field(description="the name policies refer to")
    owner: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="whom to ask"
    )
    note: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="what it is for"
    )


class Sections(Section):
    """All of `budget.toml`."""

    daemon: Daemon = Field(default=Daemon(), description=str(Daemon.__doc__))
    limits: Limits = Field(default=Limits(), description=str(Limits.__doc__))
    holds: Holds = Field(default=Holds(), description=str(Holds.__doc__))
    journal: Journal = Field(default=Journal(), description=str(Journal.__doc__))
    prices: Prices = Field(default=Prices(), description=str(Prices.__doc__))
    tiers: Tiers = Field(default=Tiers(), description=str(Tiers.__doc__))
    assistant: Assistant = Field(default=Assistant(), description=str(Assistant.__doc__))
    hermes: Hermes = Field(default=Hermes(), description=str(Hermes.__doc__))
    price_sources: tuple[PriceSourceTable, ...] = Field(
        default=(), alias="price_source", strict=False, description=str(PriceSourceTable.__doc__)
    )
    channels: tuple[ChannelTable, ...] = Field(
        default=(), alias="channel", strict=False, description=str(ChannelTable.__doc__)
    )
    tokens: tuple[Token, ...] = Field(
        default=(), alias="token", strict=False, description=str(Token.__doc__)
    )
    budgets: tuple[Budget, ...] = Field(
        default=(), alias="budget", strict=False, description=str(Budget.__doc__)
    )
    policies: tuple[Policy, ...] = Field(
        default=(), alias="policy", strict=False, description=str(Policy.__doc__)
    )
    routes: tuple[RouteRule, ...] = Field(
        default=(), alias="route", strict=False, description=str(RouteRule.__doc__)
    )
    models: tuple[ModelRule, ...] = Field(
        default=(), alias="model", strict=False, description=str(ModelRule.__doc__)
    )


class Settings(Sections):
    """What holds in this process, and where each value comes from."""

    path: Path | None
    """The file that was read, if any."""
    origins: dict[str, str]
    """`daemon.port` → `default`, `file`, `environment BUDGET_PORT` or `command line`."""
    notes: tuple[str, ...]
    """What a person should know although it is no problem."""

    @property
    def data_dir(self) -> Path:
        assert self.daemon.data_dir is not None, "load() always names one"
        return self.daemon.data_dir


SHORT: dict[str, str] = {
    "PENIA_PORT": "daemon.port",
    "BUDGET_PORT": "daemon.port",
    "BUDGET_HOST": "daemon.host",
    "BUDGET_SOCKET": "daemon.socket",
    "BUDGET_DATA_DIR": "daemon.data_dir",
    "BUDGET_LOG_LEVEL": "daemon.log_level",
    "HERMES_URL": "hermes.url",
}
"""Short names of environment variables; of two for one setting the later wins."""

ELSEWHERE = {"BUDGET_CONFIG", "BUDGET_TOKEN", "BUDGET_TOKEN_FILE", "BUDGET_URL"}
"""Variables with our prefix that are no settings: the way to the file, and the client's own."""


def plain_settings() -> dict[str, FieldInfo]:
    """Every setting outside the `[[arrays]]`: `daemon.port` → its field."""
    tables = (Daemon, Limits, Holds, Journal, Prices, Tiers, Assistant, Hermes)
    return {
        f"{table.__name__.lower()}.{name}": field
        for table in tables
        for name, field in table.model_fields.items()
    }


LONG: dict[str, str] = {f"BUDGET_{key.replace('.', '__').upper()}": key for key in plain_settings()}
"""`BUDGET_<SECTION>__<KEY>` → `section.key`, for every plain setting."""
