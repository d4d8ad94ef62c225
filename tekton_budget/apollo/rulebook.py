"""The part of Apollo's manager that is looked up and set: policies, tiers, who hears of what."""

from collections.abc import Callable
from typing import Any

from tekton_budget.apollo.events import Events
from tekton_budget.apollo.models import BudgetPolicy, BudgetTier
from tekton_budget.apollo.shelf import Shelf
from tekton_budget.apollo.tiers import Tiers


class Rulebook:
    """Each change of a policy is in the file and in force before it returns."""

    _shelf: Shelf
    _events: Events
    _tiers: Tiers

    def register_callback(self, event_type: str, callback: Callable[..., Any]) -> None:
        self._events.register(event_type, callback)

    def add_policy(self, policy: BudgetPolicy) -> str:
        self._shelf.put(policy)
        self._events.fire("on_policy_updated", policy)
        return policy.policy_id

    def get_policy(self, policy_id: str) -> BudgetPolicy | None:
        return self._shelf.policies.get(policy_id)

    def update_policy(self, policy_id: str, **fields: Any) -> BudgetPolicy | None:
        """Change what is named; an unknown field is refused, nothing is changed then."""
        policy = self._shelf.policies.get(policy_id)
        if policy is None:
            return None
        changed = BudgetPolicy(**policy.model_dump())
        for name, value in fields.items():
            setattr(changed, name, value)
        self._shelf.put(changed)
        self._events.fire("on_policy_updated", changed)
        return changed

    def delete_policy(self, policy_id: str) -> bool:
        if policy_id not in self._shelf.policies:
            return False
        self._shelf.drop(policy_id)
        return True

    def get_model_tier(self, model: str) -> BudgetTier:
        return self._tiers.of_model(model) or BudgetTier.REMOTE_HEAVYWEIGHT

    def set_model_tier(self, model: str, tier: BudgetTier | str) -> None:
        self._tiers.models[model.lower()] = BudgetTier(tier)

    def get_provider_tier(self, provider: str) -> BudgetTier:
        return self._tiers.of_provider(provider) or BudgetTier.REMOTE_HEAVYWEIGHT

    def set_provider_tier(self, provider: str, tier: BudgetTier | str) -> None:
        self._tiers.providers[provider.lower()] = BudgetTier(tier)

    def get_component_tier(self, component: str) -> BudgetTier | None:
        return self._tiers.components.get(component)

    def set_component_tier(self, component: str, tier: BudgetTier | str) -> None:
        self._tiers.components[component] = BudgetTier(tier)
