"""The language of prices: what a usage costs, and what is known."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints

from protocols.message import Request
from protocols.names import Model, Provider


def _text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('must be an RFC 3339 time such as "2026-11-20T09:30:00Z"')  # noqa: TRY004
    return value


Instant = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_text)]
Mode = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,32}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Amount = Annotated[str, Field(description="USD as a decimal string")]


@dataclass(slots=True)
class TokenLine:
    """One kind of tokens: count times rate per million."""

    kind: Annotated[str, Field(description="what was counted, such as cache_read")]
    count: Annotated[int, Field(description="how many tokens")]
    rate_usd_per_million: Annotated[str, Field(description="USD for a million of them")]
    usd: Amount


@dataclass(slots=True)
class UnitLine:
    """One kind that is charged by the piece: count times rate."""

    kind: Annotated[str, Field(description="what was counted, such as web_search")]
    count: Annotated[int, Field(description="how many pieces")]
    rate_usd_per_unit: Annotated[str, Field(description="USD for one of them")]
    usd: Amount


@dataclass(slots=True)
class QuoteReply:
    """The cost of a usage, and how it comes about."""

    cost_usd: Annotated[str, Field(description="USD, rounded half to even to nine decimals")]
    cost_exact_usd: Annotated[str, Field(description="USD with every digit")]
    price_version: Annotated[str, Field(description="the immutable set of rates that was used")]
    lines: Annotated[list[TokenLine | UnitLine], Field(description="one line for each kind")]
    estimated: Annotated[
        bool, Field(description="a rate is an upper bound, not the provider's own")
    ]


class Quote(Request[QuoteReply]):
    """What a usage costs at the prices known now. Holds nothing and books nothing."""

    provider: Provider | None = Field(None, description="who sells the model; else its maker")
    model: Model = Field(description="the model's name, exactly")
    usage: dict[str, Any] = Field(
        description="normalised counts, or a provider's usage object as it came"
    )
    mode: Mode = Field("standard", description="standard, batch, flex, priority or fast")
    region: Region | None = Field(None, description="the region, where it changes the price")
    at: Instant | None = Field(None, description="price it as of this moment (RFC 3339)")


@dataclass(slots=True)
class LongContextShown:
    """The rates a whole request pays once its input passes the threshold."""

    threshold: Annotated[int, Field(description="tokens of input, cached ones included")]
    inclusive: Annotated[bool, Field(description="whether the threshold itself already counts")]
    rates: Annotated[dict[str, str], Field(description="USD per million tokens by kind")]


@dataclass(slots=True)
class HoursShown:
    """Other rates at certain hours, UTC."""

    starts: Annotated[str, Field(description="HH:MM")]
    ends: Annotated[str, Field(description="HH:MM; 24:00 is midnight")]
    weekdays: Annotated[list[int], Field(description="days on which it starts; Monday is 1")]
    rates: Annotated[dict[str, str], Field(description="USD per million tokens by kind")]


@dataclass(slots=True)
class PriceShown:
    """One model's price: its version, rates and source."""

    price_version: Annotated[str, Field(description="the immutable set of rates")]
    provider: Annotated[str, Field(description="who sells the model")]
    model: Annotated[str, Field(description="the model's name")]
    rates: Annotated[dict[str, str], Field(description="USD per million tokens by kind")]
    unit_rates: Annotated[dict[str, str], Field(description="USD per piece by kind")]
    long_context: Annotated[
        list[LongContextShown], Field(description="the rates of long requests, tier by tier")
    ]
    modes: Annotated[
        dict[str, dict[str, str]], Field(description="mode → kind → USD per million tokens")
    ]
    hours: Annotated[list[HoursShown], Field(description="hours with rates of their own")]
    regions: Annotated[dict[str, str], Field(description="region → what token rates are times")]
    max_output_tokens: Annotated[int | None, Field(description="the model's own limit")]
    source: Annotated[str, Field(description="who says so, and whether they agree")]
    free: Annotated[bool, Field(description="costs nothing, and somebody said so")]


@dataclass(slots=True)
class PriceList:
    """One page of prices."""

    items: Annotated[list[PriceShown], Field(description="prices by provider and model")]
    next_cursor: Annotated[
        str | None, Field(description="pass it as cursor to get the next page")
    ] = None


class ListPrices(Request[PriceList]):
    """The prices in force, by provider and model."""

    provider: Provider | None = Field(None, description="only this provider's")
    model: str | None = Field(
        None, min_length=1, max_length=128, description="only models like this; * stands for any"
    )
    limit: int = Field(100, ge=1, le=1000, description="how many on a page")
    cursor: str | None = Field(None, max_length=300, description="where the last page ended")
