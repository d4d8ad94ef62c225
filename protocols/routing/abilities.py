"""What a model can do: how much it reads and writes, what it understands, until when it is sold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field

from protocols.message import Value
from protocols.prices.names import model_name, provider_name
from protocols.routing.words import CAPABILITIES, Capability

Needs = Annotated[
    tuple[Capability, ...],
    Field(
        strict=False, max_length=len(CAPABILITIES), description="what the model must be able to do"
    ),
]

MODEL_GLOB = r"^[A-Za-z0-9._:@*?\[\]!-]{1,128}/[A-Za-z0-9._:/@*?\[\]!-]{1,128}$"
ModelGlob = Annotated[
    str, Field(pattern=MODEL_GLOB, description="provider/model; * ? [ab] in either part")
]


@dataclass(frozen=True, slots=True)
class Abilities:
    """None: nobody says. `retires` is the first day on which it is not sold any more."""

    window: int | None = None
    """The most tokens it reads in one call."""
    output_max: int | None = None
    can: frozenset[str] | None = None
    retires: date | None = None


UNKNOWN = Abilities()


class ModelRule(Value):
    """What a model can do, where the daemon does not know it or knows it wrongly."""

    name: ModelGlob
    context_window: Annotated[int, Field(ge=1, le=10**9)] | None = Field(
        default=None, description="the most tokens it reads in one call"
    )
    max_output_tokens: Annotated[int, Field(ge=1, le=10**9)] | None = Field(
        default=None, description="the most tokens it writes in one call"
    )
    can: Needs | None = Field(default=None, description=f"any of {', '.join(CAPABILITIES)}")


class AbilityTable:
    """Who can do what, by exact name; the operator's own word, by glob, goes before."""

    def __init__(
        self, known: Mapping[tuple[str, str], Abilities], rules: Iterable[ModelRule] = ()
    ) -> None:
        self._known = {(p, model_name(m)): told for (p, m), told in known.items()}
        self._rules = sorted(rules, key=lambda rule: len(rule.name))

    def with_rules(self, rules: Iterable[ModelRule]) -> "AbilityTable":
        """Make a table in which the operator's word counts; the longest glob counts most."""
        return AbilityTable(self._known, [*self._rules, *rules])

    def of(self, provider: str, model: str) -> Abilities:
        owner = provider_name(provider)
        found = self._known.get((owner, model_name(model)), UNKNOWN)
        full_name = f"{owner}/{model}".lower()
        for rule in self._rules:
            if fnmatchcase(full_name, rule.name.lower()):
                found = _overruled(found, rule)
        return found


def _overruled(known: Abilities, rule: ModelRule) -> Abilities:
    can = known.can if rule.can is None else frozenset(rule.can)
    return replace(
        known,
        window=rule.context_window or known.window,
        output_max=rule.max_output_tokens or known.output_max,
        can=can,
    )
