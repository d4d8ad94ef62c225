"""Rhetor's limits: policies of the daemon, one for each period and provider."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from tekton_budget.client import BudgetClient
from tekton_budget.details import Rule
from tekton_budget.names import name_of
from tekton_budget.policy import Made
from tekton_budget.replies import PolicyShown
from tekton_budget.rhetor.words import ALL, BudgetPeriod, BudgetPolicy

BUDGET = "rhetor"
WITHOUT_END = Decimal(1_000_000)
"""What stands in the daemon for Rhetor's 0, which limits nothing."""
PLACES = Decimal("0.000000001")
ENFORCE = {BudgetPolicy.IGNORE: "ignore", BudgetPolicy.WARN: "warn", BudgetPolicy.ENFORCE: "hard"}
BACK = {theirs: ours for ours, theirs in ENFORCE.items()} | {"soft": BudgetPolicy.ENFORCE}


@dataclass(frozen=True, slots=True)
class Limit:
    """One active row of Rhetor's settings. A limit of 0 is none."""

    period: BudgetPeriod
    provider: str
    limit: float
    enforcement: BudgetPolicy
    start_date: str


def rule_of(
    period: BudgetPeriod, provider: str, amount: float, enforcement: BudgetPolicy, zone: str
) -> Made:
    """The same for the drop-in and the import. Raises ValueError for what is no amount."""
    match = {} if provider == ALL else {"provider": name_of(provider)}
    unpriced = "refuse" if enforcement is BudgetPolicy.ENFORCE else "envelope"
    rule: Rule = {
        "budget": BUDGET, "match": match, "zone": zone, "enforce": ENFORCE[enforcement],
        "unpriced": unpriced,
    }  # fmt: skip
    limit = {"usd": usd_of(amount)}
    return Made(name_of(f"{BUDGET}:{period.value}:{provider}"), limit, period.value, rule)


def usd_of(amount: float | Decimal) -> Decimal:
    """Raises ValueError for what is no amount: below zero, or no number at all."""
    exact = Decimal(str(amount))
    if not exact.is_finite() or exact < 0:
        raise ValueError(f"limit_amount must be 0 (no limit) or more, not {amount}")
    return exact.quantize(PLACES) or WITHOUT_END


class Limits:
    """The limits in force. Those of the environment are made where there are none."""

    def __init__(self, client: BudgetClient, zone: str) -> None:
        self._client = client
        self._zone = zone
        self._planted = False
        self.default = BudgetPolicy(os.environ.get("RHETOR_BUDGET_POLICY", "warn").lower())

    def __iter__(self) -> Iterator[Limit]:
        found = list(self._ours())
        if not self._planted:
            self._planted = True
            if self._plant({(one.period, one.provider) for one in found}):
                found = list(self._ours())
        yield from found

    def _ours(self) -> Iterator[Limit]:
        for shown in self._client.policies():
            rule = shown.policy
            if rule["budget"] == BUDGET and rule["period"] in tuple(BudgetPeriod):
                yield _limit(shown)

    def _plant(self, there: set[tuple[BudgetPeriod, str]]) -> bool:
        planted = False
        for period in BudgetPeriod:
            told = float(os.environ.get(f"RHETOR_BUDGET_{period.value.upper()}_LIMIT") or 0)
            if told > 0 and (period, ALL) not in there:
                self.put(period, ALL, told, self.default)
                planted = True
        return planted

    def find(self, period: BudgetPeriod, provider: str) -> Limit | None:
        return next((one for one in self if (one.period, one.provider) == (period, provider)), None)

    def put(
        self, period: BudgetPeriod, provider: str, amount: float, enforcement: BudgetPolicy
    ) -> None:
        made = rule_of(period, provider, amount, enforcement, self._zone)
        self._client.set_policy(made.name, made.limit, made.period, **made.rule)


def _limit(shown: PolicyShown) -> Limit:
    rule = shown.policy
    usd = Decimal(rule["limit"]["usd"] or 0)
    return Limit(
        BudgetPeriod(rule["period"]),
        rule["match"].get("provider") or ALL,
        0.0 if usd == WITHOUT_END else float(usd),
        BACK[rule["enforce"]],
        shown.set_at,
    )
