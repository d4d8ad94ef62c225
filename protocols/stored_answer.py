"""An answer as it is kept under its Idempotency-Key, and read back."""

from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from protocols.errors import BudgetError, from_problem
from protocols.message import Request, reply_of
from protocols.written import writer


def keep(answer: Any) -> tuple[bool, str]:
    """(is it a refusal, its JSON)."""
    if isinstance(answer, BudgetError):
        return True, to_json(answer.problem()).decode()
    return False, writer(type(answer))(answer).decode()


def restore(request: type[Request[Any]], text: str, *, refused: bool) -> Any:
    """The reply, or the error, that `keep` was given."""
    if refused:
        return from_problem(from_json(text))
    return _adapter(request).validate_json(text)


@lru_cache(maxsize=64)
def _adapter(request: type[Request[Any]]) -> TypeAdapter[Any]:
    return TypeAdapter(reply_of(request))
