"""A policy to be set in the daemon, and whether it is there already."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from tekton_budget.ask import plain
from tekton_budget.details import Rule


class Made(NamedTuple):
    """What `set_policy` takes."""

    name: str
    limit: Mapping[str, int | Decimal]
    period: str
    rule: Rule

    def fields(self) -> dict[str, Any]:
        return {"limit": plain(self.limit), "period": self.period, **self.rule}

    def is_there(self, known: Mapping[str, Any] | None) -> bool:
        """Whether the daemon's policy of this name says all that this one says."""
        return known is not None and _within(self.fields(), known)


def _within(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, Mapping):
        return isinstance(theirs, Mapping) and all(
            _within(value, theirs.get(name)) for name, value in ours.items()
        )
    return bool(ours == theirs)
