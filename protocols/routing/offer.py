"""One model on offer for a call, and what a call would use of it."""

from dataclasses import dataclass

from protocols.money import NANOS_MAX
from protocols.policy.charge import Kind
from protocols.prices import PriceVersion
from protocols.prices.names import model_name
from protocols.routing.abilities import Abilities
from protocols.token_estimate import Family, family_of
from protocols.usage import Usage
from protocols.whole_cost import PARTS, rate_of


class Offer:
    """A model with all that no call changes: made once, weighed many times."""

    __slots__ = (
        "_read", "_write", "can", "family", "kind", "local", "name", "place", "plain_up_to",
        "priced", "shelved_at", "version", "writes",
    )  # fmt: skip

    def __init__(
        self, kind: Kind, version: PriceVersion, can: Abilities, *,
        priced: bool, local: bool = False, place: int = 0,
    ) -> None:  # fmt: skip
        provider, model, _ = kind
        self.kind = kind
        self.version = version
        self.can = can
        self.priced = priced
        self.local = local
        """Free, and the last to be tried."""
        self.place = place
        """Of the pattern that names it."""
        self.name = (provider, model_name(model))
        self.shelved_at = (place, len(model), provider, model)
        """Of equals the one listed first, then the shorter name: `gpt-5` before a dated one."""
        self.family: Family = family_of(provider, model)
        self.writes = "output" in version.rates
        self._read, self._write = rate_of("input", version), rate_of("output", version)
        whole = self._read >= 0 and self._write >= 0
        self.plain_up_to = version.plain_up_to if whole else -1

    def plain_usd(self, load: "Load") -> int | None:
        """What the call would hold; None where that is not so simple."""
        if load.read > self.plain_up_to:
            return None
        usd = -(-(load.read * self._read + load.write * self._write) // PARTS)
        return usd if usd <= NANOS_MAX else None


@dataclass(slots=True)
class Load:
    """What a call would use at most of models that count alike."""

    usage: Usage
    read: int
    write: int
    tokens: int
