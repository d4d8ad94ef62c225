"""How Tekton says things: either case, dollars as numbers, dates with or without a zone."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from protocols.money import show_usd


class Spoken(BaseModel):
    """A body in Tekton's words: snake_case or camelCase, and nothing that is not kept."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        alias_generator=to_camel,
        populate_by_name=True,
    )


def _decimal_text(value: object) -> object:
    """A number or a string of dollars as our own decimal string."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        return format(Decimal(str(value)), "f")
    except InvalidOperation:
        return value


Dollars = Annotated[str, BeforeValidator(_decimal_text)]
"""Given on as a decimal string; what is no sum of money is refused there, by its name."""


def _empty(value: dict[str, Any]) -> dict[str, Any]:
    if value:
        raise PydanticCustomError("unkept", "is not kept here; leave it out")
    return value


NoMetadata = Annotated[dict[str, Any], AfterValidator(_empty), Field(max_length=32)]
"""Where we would lose it, we say so instead."""


def _only(wanted: bool) -> AfterValidator:  # noqa: FBT001  # it is the value itself
    def check(value: bool) -> bool:  # noqa: FBT001  # pydantic passes it so
        if value is not wanted:
            raise PydanticCustomError("only", "can only be {wanted}", {"wanted": wanted})
        return value

    return AfterValidator(check)


Always = Annotated[bool, _only(wanted=True)]
"""A switch we do not have: what is not in force is removed."""


YEARS = range(1971, 3000)


def _of_our_age(at: datetime) -> datetime:
    if not YEARS[0] <= at.year <= YEARS[-1]:
        raise PydanticCustomError("age", f"must be a time of the years {YEARS[0]} to {YEARS[-1]}")
    return at


Moment = Annotated[datetime, AfterValidator(_of_our_age)]
"""With a zone or without; what we cannot write as a time is refused by its name."""


def number(usd: str | None) -> float | None:
    """Dollars as Tekton's pages calculate with them. For answers only; nothing is kept so."""
    return None if usd is None else float(usd)


def nanos_number(nanos: int) -> float:
    return float(show_usd(nanos))


def milliseconds(at: datetime) -> int:
    """A time without a zone is taken as UTC."""
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def page(items: list[Any], number_: int, limit: int) -> dict[str, Any]:
    """One page of a list that is here as a whole."""
    begin = (number_ - 1) * limit
    return {
        "items": items[begin : begin + limit],
        "total": len(items),
        "page": number_,
        "limit": limit,
    }


class Paged(Spoken):
    """What every list of Tekton takes."""

    page: Annotated[int, Field(ge=1)] = 1
    limit: Annotated[int, Field(ge=1, le=100)] = 20
