"""Policies and budgets of `budget.toml`: applied when their text is new or changed, only then.

What was changed or removed since through the API stays so until the file is edited.
"""

import hashlib
from collections.abc import Iterator, Mapping

from actors.policy.policies import Seed
from daemon.config import Settings
from protocols.policy.messages import SetBudget


def changed_seeds(settings: Settings, applied: Mapping[str, str]) -> Iterator[Seed]:
    for budget in settings.budgets:
        what = SetBudget(name=budget.name, owner=budget.owner, note=budget.note)
        digest = digest_of(what.model_dump_json())
        if applied.get(f"budget {budget.name}") != digest:
            yield Seed(what, digest)
    for policy in settings.policies:
        digest = digest_of(policy.model_dump_json())
        if applied.get(f"policy {policy.name}") != digest:
            yield Seed(policy, digest)


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
