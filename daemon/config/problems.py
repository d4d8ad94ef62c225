"""What is wrong with a configuration, where, and what to do about it."""

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, NamedTuple

Where = Callable[[str], str]
"""From `daemon.port` to the place it was written: a file, a variable, the command line."""

SECRET_VALUE = re.compile(r"\b(sk-|tkb_)[A-Za-z0-9_-]{16,}")
NO_SECRETS = (
    "remove it: secrets never stand in budget.toml; the daemon makes each token's secret itself "
    "in <data_dir>/tokens/<name>"
)


class Problem(NamedTuple):
    """One thing to mend: `budget.toml: policy[2].limit.usd`, what is wrong, what to do."""

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.remedy}"


class ConfigError(Exception):
    """The daemon does not start, and these are all the reasons it can see."""

    exit_code: ClassVar[int] = 78

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("\n".join(map(str, self.problems)))


def did_you_mean(word: str, known: Iterable[str], *, after: str = "") -> str | None:
    """Suggest the nearest of the known words, judged by what comes after their common beginning."""
    tails = [one.removeprefix(after) for one in known if one.startswith(after)]
    near = difflib.get_close_matches(word.removeprefix(after), tails, n=1)
    return f"did you mean {after}{near[0]}?" if near else None


def secrets_in(leaves: Iterable[tuple[str, object]], where: Where) -> list[Problem]:
    """Values that look like a token or a provider's key, whatever their key. Never repeated."""
    return [
        Problem(where(key), "looks like a secret", NO_SECRETS)
        for key, value in leaves
        if SECRET_VALUE.search(str(value))
    ]


def twins_in(raw: dict[str, Any], where: Where) -> list[Problem]:
    """Names borne by two tables of one kind; both are named."""
    found = []
    for kind in ("token", "budget", "policy", "price_source", "channel", "route", "model"):
        tables = raw.get(kind)
        first: dict[str, int] = {}
        for index, table in enumerate(tables if isinstance(tables, list) else ()):
            name = table.get("name") if isinstance(table, dict) else None
            if isinstance(name, str) and (before := first.setdefault(name, index)) != index:
                what = f'"{name}" is already the name of {kind}[{before}]'
                where_it_is = where(f"{kind}[{index}].name")
                found.append(Problem(where_it_is, what, "rename or remove one of the two"))
    return found
