"""Rhetor's `BudgetManager` by its name and signatures, with the daemon behind it."""

from datetime import datetime
from typing import Any

from tekton_budget.client import BudgetClient
from tekton_budget.details import Used, Wanted
from tekton_budget.errors import Unavailable, Unpriced
from tekton_budget.names import name_of
from tekton_budget.rhetor.limits import Limit, Limits
from tekton_budget.rhetor.prices import Cost, Priced, Prices, all_models, count
from tekton_budget.rhetor.usage import Spent, Usage, begin_of, end_of
from tekton_budget.rhetor.words import (
    ALL,
    BudgetPeriod,
    BudgetPolicy,
    exceeded,
    will_be_exceeded,
)
from tekton_budget.zone import local_zone

Answer = dict[str, Any]
OUTPUT = 125
"""Tokens of the 500 characters that Rhetor reckons with before a call."""


class BudgetManager:
    """Dollars by provider and period. `db_path` is taken and not used: the daemon keeps the books.

    The keyword arguments are new: `client` (one is made otherwise), `models` (that Rhetor may
    choose besides its own) and `zone` (whose midnight).
    """

    def __init__(
        self,
        db_path: str | None = None,
        *,
        client: BudgetClient | None = None,
        models: dict[str, tuple[str, ...]] | None = None,
        zone: str | None = None,
    ) -> None:
        self.db_path = db_path
        self._client = client or BudgetClient("rhetor")
        where = zone or local_zone()
        self._limits = Limits(self._client, where)
        self._prices = Prices(self._client, all_models(models))
        self._usage = Usage(self._client, where)

    def count_tokens(self, text: str, model: str = "gpt-3.5-turbo") -> int:  # noqa: ARG002
        return count(text)

    def calculate_cost(self, provider: str, model: str, input_text: str, output_text: str) -> Cost:
        """Raises `Unpriced` for a model without a price."""
        read, written = self.count_tokens(input_text, model), self.count_tokens(output_text, model)
        return self._prices.cost(provider, model, read, written)

    def estimate_cost(
        self, provider: str, model: str, input_text: str, estimated_output_length: int = 500
    ) -> Cost:
        """Of an output of so many characters. Raises `Unpriced` for a model without a price."""
        written = count("a" * estimated_output_length)
        return self._prices.cost(provider, model, self.count_tokens(input_text, model), written)

    def record_usage(
        self,
        provider: str,
        model: str,
        component: str,
        task_type: str,
        input_tokens: int,
        output_tokens: int,
        cost: float,
        metadata: dict[str, Any] | None = None,  # noqa: ARG002  # Rhetor's signature
    ) -> None:
        """Book at the daemon's price; the cost that is told is kept beside it."""
        if min(input_tokens, output_tokens) < 0 or cost < 0:
            raise ValueError("input_tokens, output_tokens and cost must be 0 or more")
        usage = {"input": input_tokens, "output": output_tokens, "reported_cost_usd": str(cost)}
        self._client.record(name_of(model), usage, **_used(provider, component, task_type))

    def record_completion(
        self,
        provider: str,
        model: str,
        input_text: str,
        output_text: str,
        component: str = "unknown",
        task_type: str = "default",
        metadata: dict[str, Any] | None = None,  # noqa: ARG002  # Rhetor's signature
    ) -> Answer:
        """Count, book, and tell what it cost."""
        read, written = self.count_tokens(input_text, model), self.count_tokens(output_text, model)
        usage = {"input": read, "output": written}
        booked = self._client.record(name_of(model), usage, **_used(provider, component, task_type))
        try:
            cost = self._prices.cost(provider, model, read, written)
        except (Unpriced, Unavailable):
            cost = _known_total(read, written, float(booked.cost_usd or 0))
        return {
            "provider": provider, "model": model, "component": component, "task_type": task_type,
            "timestamp": datetime.now().isoformat(), **cost,
        }  # fmt: skip

    def get_usage(
        self,
        period: BudgetPeriod | str = BudgetPeriod.DAILY,
        provider: str | None = None,
        start_date: datetime | str | None = None,
        end_date: datetime | str | None = None,
    ) -> list[Answer]:
        begin, end = begin_of(str(period), start_date), end_of(end_date)
        return self._usage.rows(begin, end, None if provider == ALL else provider)

    def get_current_usage_total(
        self, period: BudgetPeriod | str = BudgetPeriod.DAILY, provider: str | None = None
    ) -> float:
        who = None if provider in (None, ALL) else name_of(provider)
        return self._usage.spent().of(BudgetPeriod(period), who)

    def get_budget_limit(self, period: BudgetPeriod | str, provider: str = ALL) -> float:
        """0.0 is no limit."""
        found = self._limits.find(BudgetPeriod(period), provider)
        return 0.0 if found is None else found.limit

    def set_budget_limit(
        self,
        period: BudgetPeriod | str,
        limit_amount: float,
        provider: str = ALL,
        enforcement: BudgetPolicy | str | None = None,
    ) -> bool:
        """In USD; 0 takes the limit away."""
        way = self._limits.default if enforcement is None else BudgetPolicy(enforcement)
        self._limits.put(BudgetPeriod(period), provider, limit_amount, way)
        return True

    def get_enforcement_policy(
        self, period: BudgetPeriod | str, provider: str = ALL
    ) -> BudgetPolicy:
        found = self._limits.find(BudgetPeriod(period), provider)
        return self._limits.default if found is None else found.enforcement

    def set_enforcement_policy(
        self, period: BudgetPeriod | str, policy: BudgetPolicy | str, provider: str = ALL
    ) -> bool:
        of = BudgetPeriod(period)
        self._limits.put(of, provider, self.get_budget_limit(of, provider), BudgetPolicy(policy))
        return True

    def check_budget(
        self,
        provider: str,
        model: str,
        input_text: str,
        component: str = "unknown",
        task_type: str = "default",
    ) -> tuple[bool, Answer]:
        """Whether the call would be within every limit, of Rhetor and of everybody else."""
        try:
            return self._check(provider, model, input_text, component, task_type)
        except Unavailable as error:
            allowed = self._client.when_away != "deny"
            told = {"allowed": allowed, "reason": f"Budget daemon away: {error.detail}"}
            return allowed, told | {"warnings": [told["reason"]]}

    def _check(
        self, provider: str, model: str, input_text: str, component: str, task_type: str
    ) -> tuple[bool, Answer]:
        call: Wanted = {
            "provider": name_of(provider), "component": name_of(component),
            "task_type": name_of(task_type), "input_text": input_text, "max_output_tokens": OUTPUT,
        }  # fmt: skip
        seen = self._client.check(name_of(model), **call)
        held = seen.would_hold
        read = 0 if held is None else held.tokens - OUTPUT
        try:
            estimate = self._prices.cost(provider, model, read, OUTPUT)
        except Unpriced:
            estimate = _known_total(read, OUTPUT, 0.0 if held is None else float(held.usd))
        cost = estimate["total_cost"]
        if not seen.allowed:
            facts = seen.denial or {}
            reason = exceeded(str(facts.get("policy")))
            if seen.outcome == "unpriced":
                reason = f"No known price for {provider}/{model}"
            return False, {
                "allowed": False, "reason": reason, "limit": float(facts.get("limit", 0)),
                "usage": float(facts.get("used", 0)), "estimated_cost": cost,
                "policy": BudgetPolicy.ENFORCE.value, "cost_estimate": estimate,
            }  # fmt: skip
        if not cost:
            return True, {"allowed": True, "reason": "Free model", "cost_estimate": estimate}
        figures = self._figures(name_of(provider), cost)
        return True, {
            "allowed": True, **figures, "estimated_cost": cost, "cost_estimate": estimate,
        }  # fmt: skip

    def _figures(self, provider: str, cost: float) -> Answer:
        """Usage and limit of each period, and a warning where the call would pass one."""
        limits, spent = list(self._limits), self._usage.spent()
        found: Answer = {"warnings": []}
        for period in BudgetPeriod:
            found[f"{period.value}_usage"] = spent.of(period, provider)
            found[f"{period.value}_limit"] = 0.0
            for one in limits:
                if one.period is period and one.limit and one.provider in (provider, ALL):
                    found["warnings"] += _warning(one, spent, cost)
                    if one.provider == provider or not found[f"{period.value}_limit"]:
                        found[f"{period.value}_limit"] = one.limit
        return found

    def get_usage_summary(
        self, period: BudgetPeriod | str = BudgetPeriod.DAILY, group_by: str = "provider"
    ) -> Answer:
        return self._usage.summary(BudgetPeriod(period), group_by)

    def get_budget_settings(self) -> dict[str, list[Answer]]:
        found: dict[str, list[Answer]] = {period.value: [] for period in BudgetPeriod}
        for number, one in enumerate(self._limits, 1):
            row = {
                "id": number, "provider": one.provider, "limit_amount": one.limit,
                "enforcement": one.enforcement.value, "start_date": one.start_date,
            }  # fmt: skip
            found[one.period.value].append(row)
        return found

    def get_model_tiers(self) -> dict[str, list[Priced]]:
        return self._prices.tiers()

    def find_cheaper_alternative(
        self, provider: str, model: str, task_type: str = "default"
    ) -> tuple[str, str] | None:
        for one in self._prices.cheaper(provider, model, task_type):
            return one["provider"], one["model"]
        return None

    def route_with_budget_awareness(
        self,
        input_text: str,
        task_type: str,
        default_provider: str | None,
        default_model: str | None,
        component: str = "unknown",
    ) -> tuple[str | None, str | None, list[str]]:
        """The default if it is allowed, else the first cheaper model that is. Never refuses."""
        if default_provider is None or default_model is None:
            return default_provider, default_model, ["No model is named: no budget was asked"]
        told = (input_text, component, task_type)
        allowed, answer = self.check_budget(default_provider, default_model, *told)
        if allowed:
            return default_provider, default_model, answer.get("warnings", [])
        says, default = "Budget limit exceeded.", f"{default_provider}/{default_model}"
        for one in self._prices.cheaper(default_provider, default_model, task_type):
            name = f"{one['provider']}/{one['model']}"
            paid = one["cost_per_1k_tokens"]
            if paid and self.check_budget(one["provider"], one["model"], *told)[0]:
                text = f"{says} Downgraded from {default} to {name}"
                return one["provider"], one["model"], [text]
        for one in self._prices.known():  # the cheapest first: a free one, if there is any
            kind = "cheapest" if one["cost_per_1k_tokens"] else "free"
            text = f"{says} Using {kind} model {one['provider']}/{one['model']}"
            return one["provider"], one["model"], [text]
        return default_provider, default_model, [answer["reason"]]


def _known_total(read: int, written: int, total: float) -> Cost:
    """Where only the sum is known: of a model without a price."""
    return {
        "input_tokens": read, "output_tokens": written, "input_cost": 0.0, "output_cost": 0.0,
        "total_cost": total,
    }  # fmt: skip


def _used(provider: str, component: str, task_type: str) -> Used:
    return {
        "provider": name_of(provider), "component": name_of(component),
        "task_type": name_of(task_type),
    }  # fmt: skip


def _warning(limit: Limit, spent: Spent, cost: float) -> list[str]:
    usage = spent.of(limit.period, None if limit.provider == ALL else limit.provider)
    if limit.enforcement is not BudgetPolicy.WARN or usage + cost <= limit.limit:
        return []
    return [will_be_exceeded(limit.period, limit.limit, usage)]
