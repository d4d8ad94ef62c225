"""Which keys may have been used: a no is certain, a yes is wrong for fewer than one in a hundred.

Bits instead of the keys themselves, so that a day of calls takes some megabytes and a new key no
look-up. They lie in layers; a layer goes when all its keys are older than the journal keeps them.
"""

import struct
import time
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

DAY_S = 86_400.0
BITS = 1 << 24
KEYS_MAX = BITS // 12
"""Of one layer, which takes 2 MB: four bits for each key, and most of the layer stays empty."""

_places = struct.Struct("=4I").unpack
"""A key is a digest: its own bytes say where its bits are."""


@dataclass(slots=True)
class Layer:
    bits: bytearray = field(default_factory=lambda: bytearray(BITS // 8))
    keys: int = 0
    full_s: float = float("inf")


class Sieve:
    """Of all ledgers together."""

    def __init__(self, keep_s: float, now: Callable[[], float]) -> None:
        self.keep_s = keep_s
        self.now = now
        self._layers = [Layer()]

    def add(self, key: bytes) -> None:
        layer = self._layers[-1]
        if layer.keys == KEYS_MAX:
            layer = self._next(layer)
        layer.keys += 1
        for place in _places(key):
            layer.bits[place >> 3 & BITS // 8 - 1] |= 1 << (place & 7)

    def __contains__(self, key: bytes) -> bool:
        for layer in self._layers:
            for place in _places(key):
                if not layer.bits[place >> 3 & BITS // 8 - 1] & 1 << (place & 7):
                    break
            else:
                return True
        return False

    def _next(self, full: Layer) -> Layer:
        full.full_s = now_s = self.now()
        young = [one for one in self._layers if now_s - one.full_s < self.keep_s]
        self._layers = [*young, Layer()]
        return self._layers[-1]


class UsedKeys:
    """What may be in the journal: the keys from before the start, and those used since.

    Of before it is None while nobody knows: then each key is looked up.
    """

    def __init__(
        self,
        old: AbstractSet[bytes] | None = frozenset(),
        keep_s: float = DAY_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.old: AbstractSet[bytes] | Sieve | None = old
        self.new = Sieve(keep_s, now)

    def __contains__(self, key: bytes) -> bool:
        return self.old is None or key in self.old or key in self.new

    def came(self, keys: Iterable[bytes]) -> None:
        """All the keys of before, read on another thread."""
        old = Sieve(self.new.keep_s, self.new.now)
        for key in keys:
            old.add(key)
        self.old = old
