"""What else a provider sells for less, dearest first: worked out once for a usage.

A refusal names cheaper models, and refusals come in storms: all is compared in whole numbers, the
parts of a nano-dollar of `whole_cost`.
"""

from bisect import bisect_right
from collections.abc import Iterable
from operator import itemgetter

from protocols.errors import Unpriced
from protocols.money import Nanos
from protocols.prices.version import PriceVersion
from protocols.usage import Usage
from protocols.whole_cost import PARTS, Parts, in_parts, nanos_up, parts_of, rate_of

RIVALS_MAX = 32
"""Only so many of the nearest are priced exactly: a host sells hundreds."""


class Rung:
    """One chat model, and what a token costs of it if every one were plain input or output."""

    __slots__ = ("exact_up_to", "read", "version", "write")

    def __init__(self, version: PriceVersion) -> None:
        self.version = version
        self.read = in_parts(version.rates.get("input"))
        self.write = in_parts(version.rates.get("output"))
        plain = (self.read, self.write) == (rate_of("input", version), rate_of("output", version))
        self.exact_up_to = version.plain_up_to if plain else -1
        """So many tokens of input, and a call of plain input and output costs just that."""


class Ladder:
    """For one usage and the price it would be charged at."""

    def __init__(self, usage: Usage, than: PriceVersion, rungs: Iterable[Rung]) -> None:
        self._usage = usage
        self._limit = parts_of(usage, than)
        read = usage.input_tokens
        written = usage.tokens - read
        plain = not usage.counts.keys() - {"input", "output"} and usage.standard
        rough = [
            (read * rung.read + written * rung.write, plain and read <= rung.exact_up_to, rung)
            for rung in rungs
        ]
        below = [one for one in rough if one[0] <= self._limit]
        below.reverse()
        self._steps = sorted(below, key=itemgetter(0))
        """The cheapest first. Read from the end, equals stand as the provider lists them."""

    def within(self, room_usd: Nanos | None) -> list[tuple[Nanos, PriceVersion]]:
        """Those that cost less, and at most so many nano-dollars; each with what it would hold."""
        reach = None if room_usd is None else room_usd * PARTS
        steps = self._steps
        end = len(steps) if reach is None else bisect_right(steps, reach, key=itemgetter(0))
        found = []
        for rough, is_exact, rung in reversed(steps[max(0, end - RIVALS_MAX) : end]):
            parts = rough if is_exact else self._exact(rung)
            if parts is not None and parts < self._limit and (reach is None or parts <= reach):
                found.append((parts, rung.version))
        found.sort(key=lambda pair: pair[1].model)
        found.sort(key=itemgetter(0), reverse=True)
        return [(nanos_up(parts), version) for parts, version in found]

    def _exact(self, rung: Rung) -> Parts | None:
        try:
            return parts_of(self._usage, rung.version)
        except Unpriced:
            return None
