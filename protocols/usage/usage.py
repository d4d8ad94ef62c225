"""What one call used, as counts that never overlap."""

from dataclasses import dataclass, field
from decimal import Decimal

from protocols.usage.kinds import INPUT_KINDS, TOKEN_KINDS

MIXED = "mixed"
"""The mode of a sum over several modes: it has tokens, but no one price."""


@dataclass(slots=True)
class Usage:
    """Disjoint counts by kind, only those above zero, and what decides their price.

    Nobody changes one. It is not frozen, for it is made twice for each call.
    """

    counts: dict[str, int] = field(default_factory=dict)
    mode: str = "standard"
    region: str | None = None
    model: str | None = None
    reported_cost: Decimal | None = None
    unrecognised: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        """Every token of the call, read and written."""
        return sum([count for kind, count in self.counts.items() if kind in TOKEN_KINDS])

    @property
    def input_tokens(self) -> int:
        """Every token the model read, cached or not."""
        return sum([count for kind, count in self.counts.items() if kind in INPUT_KINDS])

    @property
    def standard(self) -> bool:
        """Charged at the base rates: no other mode, no region."""
        return self.mode == "standard" and self.region is None

    def flat(self) -> dict[str, object]:
        """Write the normalised form as plain JSON values; `normalise` reads it back."""
        told: dict[str, object] = {**self.counts}
        if self.mode != "standard":
            told["mode"] = self.mode
        if self.region is not None:
            told["region"] = self.region
        if self.model is not None:
            told["model"] = self.model
        if self.reported_cost is not None:
            told["reported_cost_usd"] = format(self.reported_cost, "f")
        if self.unrecognised:
            told["unrecognised"] = list(self.unrecognised)
        return told

    def __add__(self, other: "Usage") -> "Usage":
        kinds = self.counts | other.counts
        costs = (self.reported_cost, other.reported_cost)
        return Usage(
            counts={k: self.counts.get(k, 0) + other.counts.get(k, 0) for k in kinds},
            mode=self.mode if self.mode == other.mode else MIXED,
            region=self.region if self.region == other.region else MIXED,
            model=self.model if self.model == other.model else None,
            reported_cost=None if None in costs else sum((c for c in costs if c), Decimal(0)),
            unrecognised=tuple(sorted({*self.unrecognised, *other.unrecognised})),
        )
