"""The language of price changes: quarantine, approval, overrides, pins, history, impact."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from protocols.message import Request, Value
from protocols.names import Model, Provider
from protocols.prices.messages import Instant, PriceShown
from protocols.prices.sources import Note, SourceName
from protocols.usage import TOKEN_KINDS, UNIT_KINDS

DAYS_MAX = 366


_RATE = r"^\d{1,7}(\.\d{1,12})?$"


def _decimal(value: object) -> Decimal:
    if not isinstance(value, str) or not re.fullmatch(_RATE, value, re.ASCII):
        raise ValueError('must be USD as a decimal string such as "3.00"')
    return Decimal(value)


RateText = Annotated[str, StringConstraints(pattern=_RATE)]
Rate = Annotated[Decimal, BeforeValidator(_decimal, json_schema_input_type=RateText)]
TokenKind = Annotated[str, StringConstraints(pattern="^(" + "|".join(sorted(TOKEN_KINDS)) + ")$")]
UnitKind = Annotated[str, StringConstraints(pattern="^(" + "|".join(sorted(UNIT_KINDS)) + ")$")]
Mode = Literal["batch", "flex", "priority", "fast"]
Severity = Literal["info", "warning", "critical"]


class LongRates(Value):
    """The rates of requests with more input than the threshold."""

    threshold: Annotated[int, Field(ge=1, le=10**9, description="tokens of input")]
    inclusive: bool = Field(
        default=False, description="whether the threshold itself already counts"
    )
    rates: dict[TokenKind, Rate] = Field(min_length=1, description="USD per million tokens")


class Rates(Value):
    """A price written by a person: USD per million tokens, or per piece, by kind."""

    rates: dict[TokenKind, Rate] = Field({}, description="USD per million tokens by kind")
    unit_rates: dict[UnitKind, Rate] = Field({}, description="USD per piece by kind")
    long_context: LongRates | None = None
    modes: dict[Mode, dict[TokenKind, Rate]] = Field(
        {}, description="rates of batch, flex, priority, fast"
    )


@dataclass(slots=True)
class CaseShown:
    """A price that is not applied: what is in force, what was said, and which guard said no."""

    provider: str
    model: str
    state: Annotated[Literal["open", "rejected"], Field(description="rejected: by a person")]
    guard: Annotated[str, Field(description="the rule that stopped it")]
    detail: Annotated[str, Field(description="the figures that rule looked at")]
    severity: Severity
    since: Annotated[str, Field(description="RFC 3339; when it was first seen")]
    in_force: Annotated[
        dict[str, str] | None, Field(description="USD per million tokens now; null: no price")
    ]
    says: Annotated[
        dict[str, dict[str, str]], Field(description="source → kind → USD per million tokens")
    ]


@dataclass(slots=True)
class Quarantine:
    """One page of the quarantine."""

    items: list[CaseShown] = field(default_factory=list)
    next_cursor: str | None = None


class ListQuarantine(Request[Quarantine]):
    """Prices that wait for a person, with who says what."""

    provider: Provider | None = None
    guard: Annotated[str, Field(max_length=64)] | None = None
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=300)


@dataclass(slots=True)
class VersionShown:
    """One version of a model's price: immutable, and when it was in force."""

    price: PriceShown
    state: Annotated[
        str, Field(description="embedded, agreed, single, approved, set, or rolled back")
    ]
    valid_from: Annotated[str | None, Field(description="RFC 3339; null: from the beginning")]
    known_since: Annotated[str | None, Field(description="RFC 3339; null: came with the package")]
    in_force: bool
    sources: Annotated[dict[str, str], Field(description="source → sha256 of the file it is from")]
    by: Annotated[str, Field(description="who applied or approved it")]
    note: str | None


@dataclass(slots=True)
class PriceFound:
    """All about one model's price."""

    provider: str
    model: str
    version: VersionShown | None
    pinned: bool
    case: CaseShown | None
    says: Annotated[
        dict[str, dict[str, str]], Field(description="source → kind → USD per million tokens")
    ]
    announced: Annotated[
        list[dict[str, str]], Field(description="changes that sources announce for later")
    ]


class ShowPrice(Request[PriceFound]):
    """One model's price, who says so, and what waits."""

    provider: Provider | None = Field(None, description="who sells the model; else its maker")
    model: Model


@dataclass(slots=True)
class PriceHistory:
    """Every version of one model's price, newest first."""

    items: list[VersionShown] = field(default_factory=list)


class ListPriceHistory(Request[PriceHistory]):
    """Every version of one model's price: when, from whom, by whom."""

    provider: Provider | None = Field(None, description="who sells the model; else its maker")
    model: Model


@dataclass(slots=True)
class PriceMoved:
    """One price that changed."""

    provider: str
    model: str
    at: str
    kind: Annotated[str, Field(description="what is charged, such as input")]
    before_usd: str | None
    after_usd: str | None
    by: str


@dataclass(slots=True)
class PriceDiff:
    """One page of price changes, newest first."""

    items: list[PriceMoved] = field(default_factory=list)
    next_cursor: str | None = None


class DiffPrices(Request[PriceDiff]):
    """What changed in the prices in force, rate by rate."""

    since: Instant | None = Field(None, description="only from this moment (RFC 3339)")
    provider: Provider | None = None
    limit: int = Field(100, ge=1, le=1000)
    cursor: Annotated[str, Field(pattern="^[0-9]{1,16}$")] | None = None


@dataclass(slots=True)
class PriceChange:
    """What a decision about a price came to."""

    provider: str
    model: str
    price_version: Annotated[str | None, Field(description="the version in force after it")]
    before: Annotated[str | None, Field(description="the version in force before it")]
    pinned: bool
    corrected_calls: Annotated[
        int, Field(description="provisional bookings that this price corrected")
    ] = 0
    entry_id: str = ""


class ApprovePrice(Request[PriceChange]):
    """Put a quarantined price in force. With `source`: what that source says."""

    provider: Provider
    model: Model
    source: SourceName | None = Field(None, description="whose price, where they disagree")
    note: Note | None = None


class RejectPrice(Request[PriceChange]):
    """Leave the old price in force; the same proposal is not made again."""

    provider: Provider
    model: Model
    note: Note | None = None


class SetPrice(Request[PriceChange]):
    """Put a price of one's own in force, now or from a later moment, and pin it."""

    provider: Provider
    model: Model
    price: Rates
    valid_from: Instant | None = Field(None, description="null: now (RFC 3339)")
    pin: bool = Field(default=True, description="a pinned price no source changes")
    note: Note | None = None


class PinPrice(Request[PriceChange]):
    """Keep a model's price as it is, whatever sources say; `pinned` false lets go."""

    provider: Provider
    model: Model
    pinned: bool = True
    note: Note | None = None


class RollbackPrice(Request[PriceChange]):
    """Put an earlier version in force again, and pin it."""

    provider: Provider
    model: Model
    price_version: str | None = Field(
        None, min_length=1, max_length=400, description="null: the one before"
    )
    note: Note | None = None


@dataclass(slots=True)
class PolicyImpact:
    """What a policy's windows would have counted."""

    policy: str
    calls: int
    booked_usd: str
    would_be_usd: str
    change_usd: str


@dataclass(slots=True)
class Impact:
    """What a price would have made of past calls. Nothing is changed by looking."""

    provider: str
    model: str
    since: str
    calls: int
    booked_usd: str
    would_be_usd: str
    change_usd: str
    policies: list[PolicyImpact]


class PreviewPrice(Request[Impact]):
    """What this price, or the quarantined one, would have made of the last days, by policy."""

    provider: Provider
    model: Model
    price: Rates | None = Field(None, description="null: the quarantined one")
    source: SourceName | None = Field(None, description="whose price, where they disagree")
    days: int = Field(30, ge=1, le=DAYS_MAX, description="how far to look back")
