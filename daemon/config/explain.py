"""Pydantic's findings in the words of the person who wrote the file."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from daemon.config.problems import NO_SECRETS, Problem, Where, did_you_mean
from daemon.config.settings import Sections, plain_settings
from protocols.period import CALENDAR, SCOPES

SECRET_KEY = re.compile(r"secret|passw|credential|api_?key|(^|_)(key|token)s?$", re.IGNORECASE)
ARRAYS = ("token", "budget", "policy", "price_source", "channel", "route", "model")
PLAIN_WORDS = {
    "missing": "is missing",
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "path_type": "must be a path, in quotes",
    "string_pattern_mismatch": "is too long, empty or has characters that are not allowed here",
}
EXAMPLES = {
    "name": '"nightly"',
    "role": '"report"',
    "budget": '"research"',
    "owner": '"ada"',
    "note": '"for experiments"',
    "match": '{ model = "claude-*" }',
    "component": '"apollo"',
    "components": '["apollo"]',
    "provider": '"anthropic"',
    "model": '"claude-*"',
    "tier": '"remote_*"',
    "task_type": '"coding"',
    "tags": '{ team = "research" }',
    "each": '"component"',
    "limit": '{ usd = "20.00" }',
    "usd": '"20.00"',
    "tokens": "2_000_000",
    "calls": "1_000",
    "period": '"daily", or "rolling:5h"',
    "warn_at": "[0.5, 0.8, 0.95]",
    "override": '{ priority = 10, usd = "5.00" }',
    "candidates": '["anthropic/claude-*", "openai/gpt-5-mini"]',
    "local": '["ollama/llama3"]',
    "needs": '["tools", "vision"]',
    "can": '["tools"]',
    "tiers": '["remote_heavyweight"]',
    "max_usd": '"0.50"',
    "context_window": "8192",
    "max_output_tokens": "4096",
    "hosts": '["budget.example.org"]',
    "origins": '["https://budget.example.org"]',
    "socket": '"/run/user/1000/tekton-budget.sock"',
    "data_dir": '"~/.local/share/tekton-budget"',
    "book": '"prices.json"',
    "free_providers": '["ollama", "local"]',
}
"""What to write where the default of a setting does not say it."""

Loc = tuple[str | int, ...]


def explain(error: ValidationError, where: Where) -> list[Problem]:
    return [_explain(one, where) for one in error.errors(include_url=False)]


def dotted(loc: Iterable[str | int]) -> str:
    """`("policy", 2, "limit")` → `policy[2].limit`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)[1:]


def _explain(error: ErrorDetails, where: Where) -> Problem:
    loc, kind = error["loc"], error["type"]
    place = where(dotted(loc))
    stray = kind == "extra_forbidden"
    if (stray and SECRET_KEY.search(str(loc[-1]))) or (
        loc == ("token",) and isinstance(error["input"], str)
    ):
        return Problem(place, "looks like a secret", NO_SECRETS)
    return Problem(place, *(_stray(loc) if stray else _wrong(error)))


def _stray(loc: Loc) -> tuple[str, str]:
    """Tell of a key nobody asked for: misspelt, or in the wrong table."""
    key, known = str(loc[-1]), _keys_at(loc[:-1])
    homes = [name.split(".")[0] for name in plain_settings() if name.split(".")[1] == key]
    remedy = did_you_mean(key, known)
    if remedy is None and homes:
        remedy = f"it belongs below [{homes[0]}]"
    return "is not a setting", remedy or f"remove it; known here are {', '.join(known)}"


def _wrong(error: ErrorDetails) -> tuple[str, str]:
    """Tell of a key we know, with a value we cannot take."""
    loc, value, kind = error["loc"], error["input"], error["type"]
    what = error["msg"].removeprefix("Value error, ").replace("Input should", "must")
    what = PLAIN_WORDS.get(kind, what)
    if own := error.get("ctx", {}).get("remedy"):
        return what, str(own)
    if loc[-1] == "usd" and isinstance(value, int | Decimal):
        return "must be a decimal string, not a number", f'put it in quotes: usd = "{value}"'
    if kind == "value_error" and "; " in what:
        head, _, tail = what.partition("; ")
        return head, tail
    if isinstance(value, str) and (near := did_you_mean(value, _choices_at(loc))):
        return what, near
    return what, _instead(loc, add=kind == "missing")


def _instead(loc: Loc, *, add: bool) -> str:
    names = [part for part in loc if isinstance(part, str)]
    key, example = names[-1], EXAMPLES.get(names[-1])
    if len(names) == 1 and key in ARRAYS:
        return f"write [[{key}]], in two brackets, above each of them"
    if len(names) == 1 or isinstance(_default_at(names), dict):
        return f"write [{'.'.join(names)}] on a line of its own and its settings below"
    if not add and (choices := _choices_at(loc)):
        return f"write one of {', '.join(choices)}"
    if loc[0] not in ARRAYS and example is None:
        default = _default_at(names)
        example = f'"{default}"' if isinstance(default, str) else str(default)
    return f"{'add' if add else 'write for example'} {key} = {example}"


def _default_at(names: list[str]) -> object:
    field = plain_settings().get(".".join(names))
    return field.default if field else None


def _annotation_at(loc: Loc) -> Any:
    """Find the type a key is declared with, walking the models from the root."""
    here: Any = Sections
    for part in loc:
        model = _model_in(here)
        if isinstance(part, str) and model is not None:
            fields = {field.alias or name: field for name, field in model.model_fields.items()}
            here = fields[part].annotation if part in fields else None
    return here


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _keys_at(loc: Loc) -> list[str]:
    model = _model_in(_annotation_at(loc))
    fields = model.model_fields.items() if model else ()
    return [field.alias or name for name, field in fields]


def _choices_at(loc: Loc) -> tuple[str, ...]:
    if loc[-1] == "period":
        return (*CALENDAR, *SCOPES, "rolling:5h")
    return _literals_in(_annotation_at(loc))


def _literals_in(annotation: Any) -> tuple[str, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return next(filter(None, map(_literals_in, get_args(annotation))), ())
