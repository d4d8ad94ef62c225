"""The rules that fit all of a call but its model, and which of them fit a model."""

from actors.policy.match import OF_MODEL
from actors.policy.rule import Rule
from protocols.policy.charge import Kind

KINDS_MAX = 4096


class Fitting:
    """Rules that fit a model; models that the same ones fit share it."""

    __slots__ = ("each_model", "rules")

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        self.each_model = tuple(
            (rule, None if rule.scoped else OF_MODEL.index(rule.policy.each or ""))
            for rule in rules if rule.each_model
        )  # fmt: skip
        """Those that count the models, or providers, or tiers apart, and by which part of a kind
        they tell their counters from each other, where it is that alone.
        """


class Crowd:
    """Remembers of each model which rules fit it."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = rules
        self.kinds: dict[Kind, Fitting] = {}
        """Those that were looked at before."""
        self._sets: dict[tuple[Rule, ...], Fitting] = {}

    def fitting(self, kind: Kind) -> Fitting:
        if len(self.kinds) >= KINDS_MAX:
            self.kinds.clear()
            self._sets.clear()
        rules = tuple(rule for rule in self._rules if rule.matches.fits_model(kind))
        found = self.kinds[kind] = self._sets.setdefault(rules, Fitting(rules))
        return found
