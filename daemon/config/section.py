"""What every table of `budget.toml` has in common."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError


def _path(value: object) -> object:
    if not isinstance(value, str):
        return value
    if "\0" in value:
        raise PydanticCustomError("path", "contains a zero byte", {"remedy": "take it out"})
    return Path(value) if value else None


Place = Annotated[Path | None, BeforeValidator(_path)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Section(BaseModel):
    """One table of `budget.toml`: frozen, strict, nothing unknown."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )
