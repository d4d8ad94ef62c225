"""How many tokens a call would use of a model: the same for all that count alike."""

from functools import lru_cache

from actors.ledger.estimate import usage_of
from protocols.routing.offer import Load, Offer
from protocols.token_estimate import Counting, Family
from protocols.wanted import Job


class Loads:
    """Of one call. A text is one, and counted once, but each family makes more or less of it."""

    def __init__(self, job: Job, count: Counting | None) -> None:
        self._job = job
        self.by_text = job.input_tokens is None and job.input_text is not None
        counter = count() if count is not None and self.by_text else None
        counted = None if counter is None else lru_cache(8)(counter)
        self._count = None if counted is None else lambda: counted
        self._known: dict[tuple[Family, bool] | bool, Load] = {}

    def of(self, offer: Offer) -> Load:
        key = (offer.family, offer.writes) if self.by_text else offer.writes
        load = self._known.get(key)
        if load is None:
            provider, model, _ = offer.kind
            price = (provider, offer.version, offer.priced)
            usage = usage_of(self._job, model, price, self._count)
            read, write = usage.counts.get("input", 0), usage.counts.get("output", 0)
            load = self._known[key] = Load(usage, read, write, usage.tokens)
        return load
