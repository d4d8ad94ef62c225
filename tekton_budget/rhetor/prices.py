"""What Rhetor's models cost, as the daemon knows it, and which of them cost less."""

from typing import TypedDict

from tekton_budget.client import BudgetClient
from tekton_budget.errors import Unpriced
from tekton_budget.names import name_of
from tekton_budget.rhetor.words import MODELS, PREFERRED, PREFERRED_ELSE

LOW, MEDIUM = 0.01, 0.05
"""USD per thousand tokens in and out: below, a model is of the tier low, medium."""
BYTES_PER_TOKEN = 4


class Cost(TypedDict):
    input_tokens: int
    output_tokens: int
    input_cost: float
    output_cost: float
    total_cost: float


class Priced(TypedDict):
    provider: str
    model: str
    cost_per_1k_tokens: float


class Prices:
    """Asked of the daemon; what a thousand tokens cost is asked once for each model."""

    def __init__(self, client: BudgetClient, models: dict[str, tuple[str, ...]]) -> None:
        self._client = client
        self._models = models
        self._per_1k: dict[tuple[str, str], float | None] = {}

    def cost(self, provider: str, model: str, tokens_in: int, tokens_out: int) -> Cost:
        """Raises `Unpriced` for a model that nobody knows a price of: it is not free."""
        usage = {"input": tokens_in, "output": tokens_out}
        found = self._client.quote(name_of(model), usage, provider=name_of(provider))
        by_kind = {line["kind"]: float(line["usd"]) for line in found.lines}
        return {
            "input_tokens": tokens_in,
            "output_tokens": tokens_out,
            "input_cost": by_kind.get("input", 0.0),
            "output_cost": by_kind.get("output", 0.0),
            "total_cost": float(found.cost_usd),
        }

    def per_1k(self, provider: str, model: str) -> float | None:
        """Of a thousand tokens in and a thousand out; None for an unknown price."""
        key = (provider, model)
        if key not in self._per_1k:
            try:
                self._per_1k[key] = self.cost(provider, model, 1000, 1000)["total_cost"]
            except Unpriced:
                self._per_1k[key] = None
        return self._per_1k[key]

    def known(self) -> list[Priced]:
        """Rhetor's models that have a price, the cheapest first."""
        found: list[Priced] = [
            {"provider": provider, "model": model, "cost_per_1k_tokens": cost}
            for provider, models in self._models.items()
            for model in models
            if (cost := self.per_1k(provider, model)) is not None
        ]
        return sorted(found, key=lambda one: one["cost_per_1k_tokens"])

    def tiers(self) -> dict[str, list[Priced]]:
        found: dict[str, list[Priced]] = {"free": [], "low": [], "medium": [], "high": []}
        for one in self.known():
            cost = one["cost_per_1k_tokens"]
            if not cost:
                found["free"].append(one)
            else:
                found["low" if cost < LOW else "medium" if cost < MEDIUM else "high"].append(one)
        return found

    def cheaper(self, provider: str, model: str, task_type: str) -> list[Priced]:
        """All that cost less: by the task's preferred provider, then by price."""
        cost = self.per_1k(provider, model)
        if not cost:
            return []
        order = PREFERRED.get(task_type, PREFERRED_ELSE)
        fits = [
            one
            for one in self.known()
            if one["cost_per_1k_tokens"] < cost and one["provider"] in order
        ]
        return sorted(fits, key=lambda one: order.index(one["provider"]))


def count(text: str) -> int:
    """A fair estimate: four bytes to a token. For exact figures record the provider's own."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def all_models(more: dict[str, tuple[str, ...]] | None) -> dict[str, tuple[str, ...]]:
    """Rhetor's own models, and those it was given besides."""
    found = dict(MODELS)
    for provider, models in (more or {}).items():
        found[provider] = tuple(dict.fromkeys((*found.get(provider, ()), *models)))
    return found
