"""One price source as the monitor knows it: the file in use, the file that waits, the failure."""

from dataclasses import dataclass, field
from typing import Any

from actors.ports import Fetched, PriceSource
from actors.prices.known import Key, key_of
from actors.prices.votes import core_of
from protocols.period import rfc3339
from protocols.prices.offer import Offer
from protocols.prices.sources import SourceShown, SourceState

HOUR_MS = 3_600_000
FIRST_RETRY_S, LAST_RETRY_S = 300.0, 21_600.0


@dataclass(slots=True)
class Source:
    """`taken` is what its votes come from; `held` changed too much at once and waits."""

    port: PriceSource
    taken: Fetched | None = None
    since_ms: dict[Key, int] = field(default_factory=dict)
    """Models whose price we saw change, and when it became what it is."""
    held: Fetched | None = None
    trusted: str | None = None
    """Digest of the file that was last in use, though it may not be on disk any more."""
    why: str | None = None
    failure: str | None = None
    reason: str | None = None
    """The failure in one word, as the last event about it said."""
    told_stale: bool = False
    failures: int = 0

    @property
    def name(self) -> str:
        return self.port.name

    def take(self, fetched: Fetched) -> bool:
        """Use this file; whether it is another than before."""
        another = self.taken is None or self.taken.sha256 != fetched.sha256
        if self.taken is not None:  # the same file may say something else on another day
            self._watch(self.taken.reading.offers, fetched)
        self.taken, self.held, self.why = fetched, None, None
        return another

    def _watch(self, before: list[Offer], fetched: Fetched) -> None:
        """Note what changed: only somebody who changed their mind has news."""
        old = {key_of(o.provider, o.model): core_of(o) for o in before if o.starts is None}
        for offer in fetched.reading.offers:
            key = key_of(offer.provider, offer.model)
            if offer.starts is None and old.get(key) != core_of(offer):
                self.since_ms[key] = fetched.at_ms

    def hold(self, fetched: Fetched, why: str) -> bool:
        """Keep the file aside; whether that is news."""
        another = self.held is None or self.held.sha256 != fetched.sha256
        self.held, self.why = fetched, why
        return another

    def retry_s(self, refresh_s: float) -> float:
        """How long to wait before the next try after failures: doubling, never past a refresh."""
        wait = FIRST_RETRY_S * (1 << min(self.failures - 1, 16))
        return min(wait, LAST_RETRY_S, refresh_s)

    def stale(self, now_ms: int, stale_hours: int) -> bool:
        return self.taken is None or now_ms - self.taken.at_ms > stale_hours * HOUR_MS

    def state(self, now_ms: int, stale_hours: int) -> SourceState:
        if self.held is not None:
            return "held"
        if self.failure is not None:
            return "failed"
        if self.taken is None:
            return "never"
        return "stale" if self.stale(now_ms, stale_hours) else "ok"

    def shown(self, now_ms: int, stale_hours: int) -> SourceShown:
        taken = self.taken
        return SourceShown(
            name=self.name,
            family=self.port.family,
            state=self.state(now_ms, stale_hours),
            fetched_at=None if taken is None else rfc3339(taken.at_ms),
            age_s=None if taken is None else max(0, now_ms - taken.at_ms) // 1000,
            models=0 if taken is None else len(taken.reading.offers),
            rejected_rows=0 if taken is None else len(taken.reading.rejected),
            sha256=None if taken is None else taken.sha256,
            etag=None if taken is None else taken.etag,
            failure=self.why or self.failure,
        )

    def body(self) -> dict[str, Any]:
        """What the journal remembers: which file is in use, and which one waits and why."""
        return {
            "sha256": None if self.taken is None else self.taken.sha256,
            "etag": None if self.taken is None else self.taken.etag,
            "models": 0 if self.taken is None else len(self.taken.reading.offers),
            "held_sha256": None if self.held is None else self.held.sha256,
            "why": self.why,
        }
