"""Policies and budgets of `budget.toml`: applied when their text is new or changed, only then.

What was changed or removed since through the API stays so until the file is edited.
"""

import hashlib
from collections.abc import Iterator, Mapping

from actors.policy.policies import Seed
from daemon.config import Settings
from protocols.policy.messages import SetBudget
from protocols.policy.policy import Policy


def changed_seeds(settings: Settings, applied: Mapping[str, str]) -> Iterator[Seed]:
    for budget in settings.budgets:
        what = SetBudget(name=budget.name, owner=budget.owner, note=budget.note)
        digest = digest_of(what.model_dump_json())
        if applied.get(f"budget {budget.name}") != digest:
            yield Seed(what, digest)
    for policy in (*settings.policies, *own_limit(settings)):
        digest = digest_of(policy.model_dump_json())
        if applied.get(f"policy {policy.name}") != digest:
            yield Seed(policy, digest)


def own_limit(settings: Settings) -> list[Policy]:
    """The assistant's, unless the file has a policy of that name."""
    named = {policy.name for policy in settings.policies}
    own = settings.assistant.policy
    return [] if settings.assistant.model is None or own.name in named else [own]


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
