"""Apollo's policies: kept in its own file, in force in the daemon.

The file has what only Apollo knows of a policy (dates, metadata, whether it is enabled); it is
replaced whole, so that nothing that goes wrong can take it away.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

from tekton_budget.apollo.models import BudgetPolicy, BudgetPolicyType
from tekton_budget.apollo.rule import BUDGET, name_in_daemon, rule_of
from tekton_budget.apollo.tiers import DEFAULT_LIMITS
from tekton_budget.client import BudgetClient
from tekton_budget.errors import NotFound, Unavailable

log = logging.getLogger("tekton_budget.apollo")


def defaults() -> list[BudgetPolicy]:
    """Nine that only warn: three tiers by the hour, the day and the session."""
    return [
        BudgetPolicy(type=BudgetPolicyType.WARN, period=period, tier=tier, limit=limit)
        for tier, limits in DEFAULT_LIMITS.items()
        for period, limit in limits.items()
    ]


def read(path: Path) -> list[BudgetPolicy]:
    """The policies of a file. Raises ValueError naming the file, the row and the field."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise ValueError(f"{path} is not JSON: {problem}") from None
    if not isinstance(rows, list):
        raise ValueError(f"{path} has no list of policies")  # noqa: TRY004  # the file is wrong
    found: list[BudgetPolicy] = []
    for number, row in enumerate(rows, 1):
        try:
            found.append(BudgetPolicy.model_validate(row))
        except (TypeError, ValueError) as problem:
            raise ValueError(f"{path}, policy {number}: {problem}") from None
    return found


class Shelf:
    """The policies of one manager, by id."""

    def __init__(self, client: BudgetClient, path: Path, zone: str) -> None:
        self._client = client
        self._path = path
        self._zone = zone
        self._there: dict[str, dict[str, Any]] | None = None
        """What the daemon has of ours, once it was asked."""
        if path.exists():
            self.policies = {policy.policy_id: policy for policy in read(path)}
        else:
            self.policies = {policy.policy_id: policy for policy in defaults()}
            self.save()

    def __iter__(self) -> Iterator[BudgetPolicy]:
        return iter(self.policies.values())

    def put(self, policy: BudgetPolicy) -> None:
        rule_of(policy, self._zone)  # what makes no sense is refused before it is kept
        self._keep(self.policies | {policy.policy_id: policy})

    def drop(self, policy_id: str) -> None:
        policy = self.policies[policy_id]
        self._keep({key: value for key, value in self.policies.items() if key != policy_id})
        self._reach(lambda: self._take_away(name_in_daemon(policy)))

    def _keep(self, policies: dict[str, BudgetPolicy]) -> None:
        self.save(policies)
        self.policies = policies
        self._reach(self.sync)

    def _reach(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Unavailable as error:
            log.warning("policies take effect when the daemon is back: %s", error)

    def save(self, policies: dict[str, BudgetPolicy] | None = None) -> None:
        """Write the file, or leave it as it was. Raises TypeError for metadata that is no JSON."""
        kept = self.policies if policies is None else policies
        text = json.dumps([policy.model_dump(mode="json") for policy in kept.values()], indent=2)
        new = self._path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)

    def sync(self) -> None:
        """Make the daemon's policies what ours are today."""
        if self._there is None:
            shown = [one.policy for one in self._client.policies()]
            self._there = {one["name"]: one for one in shown if one["budget"] == BUDGET}
        for policy in self:
            made = rule_of(policy, self._zone)
            known = self._there.get(made.name)
            if not policy.in_force:
                self._take_away(made.name)
            elif not made.is_there(known):
                shown_now = self._client.set_policy(made.name, made.limit, made.period, **made.rule)
                self._there[made.name] = shown_now.policy

    def _take_away(self, name: str) -> None:
        if self._there is not None and self._there.pop(name, None) is None:
            return
        with suppress(NotFound):
            self._client.remove_policy(name, why="no longer in force at Apollo")

    def of_name(self, name: str) -> BudgetPolicy | None:
        return next((one for one in self if name_in_daemon(one) == name), None)

    def most_specific(
        self, tier: str, period: str, component: str | None, task_type: str | None
    ) -> BudgetPolicy | None:
        """The policy that says most about such calls and nothing else about them."""
        wanted = set(product((component, None), (task_type, None)))
        fits = [
            policy
            for policy in self
            if policy.in_force
            and (policy.tier, policy.period) == (tier, period)
            and (policy.component, policy.task_type) in wanted
        ]
        return max(fits, key=lambda one: (bool(one.component), bool(one.task_type)), default=None)
