"""Policies of `budget.toml`: applied when their text is new or changed, and only then.

What was changed or removed since through the API stays so until the file is edited.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from protocols.policy.policy import Policy


def changed_seeds(
    policies: Iterable[Policy], applied: Mapping[str, str]
) -> Iterator[tuple[Policy, str]]:
    for policy in policies:
        digest = hashlib.sha256(policy.model_dump_json().encode()).hexdigest()[:16]
        if applied.get(policy.name) != digest:
            yield policy, digest
