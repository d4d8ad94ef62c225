"""Apollo's tiers: how heavy a model is, by the first table that knows it.

Model, then component, then provider; what nobody knows is remote and heavy. Names are globs, so
that `claude-3-haiku-20240307` is as light as `claude-3-haiku`; the most specific one wins.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Literal, get_args

from pydantic import Field

from protocols.message import Value

Tier = Literal["local_lightweight", "local_midweight", "remote_heavyweight"]
TIERS: tuple[Tier, ...] = get_args(Tier)
LIGHT, MID, HEAVY = TIERS
CACHED_MAX = 4096


class TierTable(Value):
    """Which names belong to which tier. Names may hold * and ?, in any case."""

    models: dict[str, Tier] = Field(default_factory=dict)
    components: dict[str, Tier] = Field(default_factory=dict)
    providers: dict[str, Tier] = Field(default_factory=dict)

    @cached_property
    def known(self) -> dict[tuple[str, str, str], Tier]:
        """Names met before."""
        return {}

    def extended(self, more: "TierTable") -> "TierTable":
        """Make a table in which `more` adds to this one and overrules it, name by name."""
        return TierTable(
            models={**_lowered(self.models), **_lowered(more.models)},
            components={**_lowered(self.components), **_lowered(more.components)},
            providers={**_lowered(self.providers), **_lowered(more.providers)},
        )

    def tier_of(self, component: str, provider: str, model: str) -> Tier:
        """Find the tier of a call; names met before are answered from memory."""
        key = (component, provider, model)
        known = self.known
        tier = known.get(key)
        if tier is None:
            if len(known) >= CACHED_MAX:
                known.clear()
            tier = known[key] = self._search(*key)
        return tier

    def _search(self, component: str, provider: str, model: str) -> Tier:
        return self.tier_of_model(provider, model, self.of_component(component))

    def tier_of_model(self, provider: str, model: str, of_component: Tier | None) -> Tier:
        """Find the tier of a model, whose caller has that one or none of its own."""
        name = model.rpartition("/")[2]  # ollama/codellama is a codellama
        return (
            _most_specific(self.models, model)
            or _most_specific(self.models, name)
            or of_component
            or _most_specific(self.providers, provider)
            or HEAVY
        )

    def of_component(self, component: str) -> Tier | None:
        """What the table says of a caller."""
        return _most_specific(self.components, component)


DEFAULT = TierTable(
    models={
        **dict.fromkeys(("codellama*", "deepseek-coder*", "starcoder*"), LIGHT),
        **dict.fromkeys(("claude-haiku*", "claude-3-haiku*", "claude-3-5-haiku*"), MID),
        **dict.fromkeys(("claude-3.5-haiku*", "llama-3*", "llama3*", "qwen*"), MID),
        **dict.fromkeys(("mistral", "mistral:*", "mistral-7b*"), MID),
        **dict.fromkeys(("gpt-4*", "claude-3-opus*", "claude-3-sonnet*"), HEAVY),
        **dict.fromkeys(("claude-3.5-sonnet*", "claude-3-5-sonnet*"), HEAVY),
        **dict.fromkeys(("claude-3.7-sonnet*", "claude-3-7-sonnet*"), HEAVY),
    },
    providers={"openai": HEAVY, "anthropic": HEAVY, "ollama": MID, "local": LIGHT},
)
"""Apollo's own table, its names made to match their dated forms."""


def tier_of(component: str, provider: str, model: str, table: TierTable = DEFAULT) -> Tier:
    """Find how heavy a call is, by model, then component, then provider."""
    return table.tier_of(component, provider, model)


def _lowered(table: Mapping[str, Tier]) -> dict[str, Tier]:
    return {glob.lower(): tier for glob, tier in table.items()}


def _most_specific(table: Mapping[str, Tier], name: str) -> Tier | None:
    """Take the longest glob that fits; a plain name beats every glob."""
    fitting = [glob for glob in table if fnmatchcase(name.lower(), glob.lower())]
    if not fitting:
        return None
    return table[max(fitting, key=lambda glob: (glob.lower() == name.lower(), len(glob), glob))]
