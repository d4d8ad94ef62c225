"""The rules that fit all of a call but its model, and which of them fit a model."""

from actors.policy.rule import Rule
from protocols.policy.charge import Kind

KINDS_MAX = 4096


class Fitting:
    """Rules that fit a model; models that the same ones fit share it."""

    __slots__ = ("each_model", "rules")

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        self.each_model = tuple(rule for rule in rules if rule.each_model)
        """Those that count the models, or providers, or tiers apart."""


class Crowd:
    """Remembers of each model which rules fit it."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = rules
        self._kinds: dict[Kind, Fitting] = {}
        self._sets: dict[tuple[Rule, ...], Fitting] = {}

    def fitting(self, kind: Kind) -> Fitting:
        found = self._kinds.get(kind)
        if found is None:
            if len(self._kinds) >= KINDS_MAX:
                self._kinds.clear()
                self._sets.clear()
            rules = tuple(rule for rule in self._rules if rule.matches.fits_model(kind))
            found = self._sets.setdefault(rules, Fitting(rules))
            self._kinds[kind] = found
        return found
