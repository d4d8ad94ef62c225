"""A model as people type it: openai/gpt-5, or its bare name where that is enough."""

from typing import Any, NamedTuple

import click


class Model(NamedTuple):
    """`provider` is None where none was typed."""

    provider: str | None
    model: str

    @property
    def fields(self) -> dict[str, Any]:
        return {"provider": self.provider, "model": self.model}


class Named(click.ParamType[Model]):
    """`owned`: the provider has to be there, for a decision is about one seller's price."""

    name = "provider/model"

    def __init__(self, *, owned: bool = False) -> None:
        self.owned = owned

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Model:
        if isinstance(value, Model):
            return value
        provider, slash, model = str(value).partition("/")
        if slash and provider and model:
            return Model(provider, model)
        if self.owned or slash:
            self.fail(f"{value!r} names no provider; write it as openai/gpt-5", param, ctx)
        return Model(None, provider)


def rates(told: dict[str, str] | None, *kinds: str) -> str:
    """Write a few rates in one cell: 3.00 / 15.00 $/M."""
    if not told:
        return "none"
    chosen = [kind for kind in kinds if kind in told] or list(told)
    if not {"input", "output"} & set(chosen):
        return ", ".join(f"{kind} ${told[kind]}" for kind in chosen[:2])
    return " / ".join(f"${told[kind]}" for kind in chosen[:3])
