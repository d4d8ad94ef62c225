"""Apollo's tables: which tier a model, component or provider is of, and how many tokens it gets."""

from tekton_budget.apollo.models import BudgetPeriod, BudgetTier, TaskPriority

LIGHT, MID, HEAVY = BudgetTier

DEFAULT_LIMITS: dict[BudgetTier, dict[BudgetPeriod, int]] = {
    tier: dict(zip((BudgetPeriod.HOURLY, BudgetPeriod.DAILY, BudgetPeriod.PER_SESSION), limits,
                   strict=True))
    for tier, limits in (
        (LIGHT, (1_000_000, 10_000_000, 8_000)),
        (MID, (500_000, 5_000_000, 16_000)),
        (HEAVY, (100_000, 1_000_000, 32_000)),
    )
}  # fmt: skip
"""Tokens."""

DEFAULT_ALLOCATIONS: dict[str, dict[TaskPriority, int]] = {
    task_type: dict(zip(TaskPriority, sizes, strict=True))
    for task_type, sizes in (
        ("default", (1_000, 2_000, 4_000, 8_000)),
        ("chat", (2_000, 4_000, 8_000, 16_000)),
        ("coding", (4_000, 8_000, 16_000, 32_000)),
        ("analysis", (4_000, 8_000, 16_000, 32_000)),
    )
}
"""Tokens by task type and priority."""

_MODELS = {
    LIGHT: ("codellama", "deepseek-coder", "starcoder"),
    MID: ("claude-haiku", "claude-3-haiku", "llama-3", "mistral", "qwen"),
    HEAVY: ("gpt-4", "claude-3-opus", "claude-3-sonnet", "claude-3.5-sonnet", "claude-3.7-sonnet"),
}


class Tiers:
    """The tables of one manager; what is set here is forgotten with it."""

    def __init__(self) -> None:
        self.models = {model: tier for tier, models in _MODELS.items() for model in models}
        self.components: dict[str, BudgetTier] = {}
        self.providers = {"openai": HEAVY, "anthropic": HEAVY, "ollama": MID, "local": LIGHT}

    def of_model(self, model: str) -> BudgetTier | None:
        """A dated name or a size of a model is of its tier: the longest beginning that is known."""
        name = model.lower()
        fits = [known for known in self.models if _is_of(name, known)]
        return self.models[max(fits, key=len)] if fits else None

    def of_provider(self, provider: str) -> BudgetTier | None:
        return self.providers.get(provider.lower())

    def of_call(self, component: str, provider: str | None, model: str | None) -> BudgetTier:
        """Model, then component, then provider; what nobody knows is remote and heavy."""
        return (
            (self.of_model(model) if model else None)
            or self.components.get(component)
            or (self.of_provider(provider) if provider else None)
            or HEAVY
        )


def _is_of(name: str, known: str) -> bool:
    return name == known or (name.startswith(known) and name[len(known)] in "-:@.")


def size_of(task_type: str, priority: int) -> int:
    """How many tokens when nobody says: a higher priority never gets less."""
    sizes = DEFAULT_ALLOCATIONS.get(task_type, DEFAULT_ALLOCATIONS["default"])
    reached = [level for level in TaskPriority if priority >= level]
    return sizes[max(reached, default=TaskPriority.LOW)]
